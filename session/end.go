package session

import (
	"context"
	"errors"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// end ends one live session before its time and tells the verifiers.
func (s *Service) end(tx Tx, v View, reason Reason, now time.Time) error {
	if err := tx.End(v.ID, End{At: now, Reason: reason}); err != nil {
		return err
	}
	s.dated(v.LastSeenAt) // by an earlier process, perhaps, whose clock was ahead
	return tx.Revoke(s.entry(revocation.Scope{Kind: revocation.KindSession}, v.ID, reason, now))
}

// entry is a log entry that verifiers keep until every access token under it has expired.
func (s *Service) entry(scope revocation.Scope, id sid.ID, reason Reason, now time.Time) revocation.Entry {
	issued := latest(now, time.UnixMilli(s.issued.Load()).UTC())
	return revocation.Entry{
		Scope: scope, SID: id, At: now, Reason: string(reason),
		Until: issued.Add(s.cfg.AccessLifetime + maxLeeway),
	}
}

// Revoke ends one session. [ErrNotFound] if there is none; one that has ended already is
// a success that changes nothing.
func (s *Service) Revoke(ctx context.Context, id sid.ID, reason Reason) error {
	return s.revoke(ctx, reason, func(tx Tx, now time.Time) (View, error) {
		_, v, err := s.load(tx, id, now)
		return v, err
	})
}

// RevokeOwn ends one session of the holder's user. [ErrNotFound] if it is not theirs.
func (s *Service) RevokeOwn(ctx context.Context, h Holder, id sid.ID) error {
	reason := ReasonUserRevoked
	if id == h.View.ID {
		reason = ReasonSignOut
	}
	return s.revoke(ctx, reason, func(tx Tx, now time.Time) (View, error) {
		v, err := s.loadOwn(tx, h.View.User.ID, id, now)
		if err == nil && id != h.View.ID {
			err = s.stillLive(tx, h, now)
		}
		return v, err
	})
}

// revoke ends the session that find finds.
func (s *Service) revoke(ctx context.Context, reason Reason, find func(Tx, time.Time) (View, error)) error {
	ended := 0
	err := s.cfg.Store.Update(ctx, func(tx Tx) error {
		ended = 0
		now := s.now()
		v, err := find(tx, now)
		if err != nil || !v.End.IsZero() {
			return err
		}
		ended = 1
		return s.end(tx, v, reason, now)
	})
	return s.counted(reason, ended, err)
}

// SignOut ends the session of an access token or a refresh token, of whatever generation.
// A session that has ended already, or is forgotten, is signed out: nil.
func (s *Service) SignOut(ctx context.Context, credential string) error {
	id, err := s.sessionOf(credential)
	if err != nil {
		return err
	}
	return found(s.Revoke(ctx, id, ReasonSignOut))
}

// RevokeToken ends the session of a token (RFC 7009). A token that is not ours, or that is
// no longer good, is revoked: nil.
func (s *Service) RevokeToken(ctx context.Context, text string) error {
	id, err := s.sessionOf(text)
	if err != nil {
		return nil //nolint:nilerr // RFC 7009 §2.2: an invalid token is a success
	}
	return found(s.Revoke(ctx, id, ReasonTokenRevoked))
}

// RevokeOthers ends every other session of the holder's user and returns how many it ended.
// Those that began before the holder's go with one mark, however many they are; the later
// ones one by one, in one transaction unless they are more than a hundred.
func (s *Service) RevokeOthers(ctx context.Context, h Holder) (int, error) {
	older, later, err := s.others(ctx, h)
	if err != nil {
		return 0, err
	}
	n := 0
	for first := true; first || len(later) > 0; first = false {
		batch := later[:min(len(later), maxEnded)]
		later = later[len(batch):]
		ended, err := s.revokeOthers(ctx, h, first && older > 0, batch)
		if err != nil {
			return n, err
		}
		if n += ended; first {
			n += older
		}
	}
	if older > 0 {
		s.sweep.wake()
	}
	return n, nil
}

// others counts the live sessions that began before the holder's, and names the later ones.
// It reads them outside of a transaction, which others would wait for.
func (s *Service) others(ctx context.Context, h Holder) (older int, later []sid.ID, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		older, later = 0, nil
		for v, err := range s.live(r, h.View.User.ID, s.now()) {
			if err != nil {
				return err
			}
			switch c := v.ID.Compare(h.View.ID); {
			case c < 0:
				older++
			case c > 0:
				later = append(later, v.ID)
			}
		}
		return nil
	})
	return older, later, err
}

// maxEnded bounds the sessions that one transaction ends one by one.
const maxEnded = 100

// revokeOthers ends the batch, and with a mark all sessions before the holder's.
func (s *Service) revokeOthers(ctx context.Context, h Holder, older bool, batch []sid.ID) (int, error) {
	n := 0
	err := s.cfg.Store.Update(ctx, func(tx Tx) error {
		n = 0
		now := s.now()
		if err := s.stillLive(tx, h, now); err != nil {
			return err
		}
		for _, id := range batch {
			_, v, err := s.load(tx, id, now)
			if err != nil {
				return err
			}
			if !v.End.IsZero() {
				continue
			}
			if err := s.end(tx, v, ReasonUserRevoked, now); err != nil {
				return err
			}
			n++
		}
		if !older {
			return nil
		}
		return tx.Revoke(s.entry(revocation.UserScope(h.View.User.ID), h.View.ID.Before(), ReasonUserRevoked, now))
	})
	return n, s.counted(ReasonUserRevoked, n, err)
}

// stillLive refuses a holder whose session has ended since it was authenticated, so that
// two sessions that end each other at once do not both succeed.
func (s *Service) stillLive(tx Tx, h Holder, now time.Time) error {
	_, v, err := s.load(tx, h.View.ID, now)
	if err != nil {
		return err
	}
	if !v.End.IsZero() {
		return v.End.refusal()
	}
	return nil
}

// RevokeAll ends every session of the holder's user, this one too, and returns how many it
// ended. [ErrNotFresh] if the policy asks for a fresh authentication and this one is not.
func (s *Service) RevokeAll(ctx context.Context, h Holder) (int, error) {
	if s.cfg.RevokeAllRequiresFresh {
		if err := s.RequireFresh(h); err != nil {
			return 0, err
		}
	}
	return s.revokeUser(ctx, h.View.User.ID, ReasonUserRevokedAll, func(tx Tx, now time.Time) error {
		return s.stillLive(tx, h, now)
	})
}

// RevokeUser ends every session of a user with one mark, and returns how many were live.
// A user without any is no error: the issuer does not know who exists.
func (s *Service) RevokeUser(ctx context.Context, userID string, reason Reason) (int, error) {
	return s.revokeUser(ctx, userID, reason, func(Tx, time.Time) error { return nil })
}

func (s *Service) revokeUser(
	ctx context.Context, userID string, reason Reason, may func(Tx, time.Time) error,
) (int, error) {
	live, err := s.count(ctx, userID) // outside of the transaction, which others wait for
	if err != nil {
		return 0, err
	}
	err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		now := s.now()
		if err := may(tx, now); err != nil || live == 0 {
			return err
		}
		return tx.Revoke(s.entry(revocation.UserScope(userID), s.cfg.IDs.Next(), reason, now))
	})
	if err != nil {
		return 0, err
	}
	if live > 0 {
		s.sweep.wake()
	}
	return live, nil
}

// count counts the live sessions of a user.
func (s *Service) count(ctx context.Context, userID string) (n int, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		n = 0
		for _, err := range s.live(r, userID, s.now()) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// RevokeClient ends every session that a client (a service key) has minted, with one mark.
func (s *Service) RevokeClient(ctx context.Context, clientID string, reason Reason) error {
	return s.revokeScope(ctx, revocation.ClientScope(clientID), reason)
}

// RevokeEverything ends every session there is, with one mark.
func (s *Service) RevokeEverything(ctx context.Context, reason Reason) error {
	return s.revokeScope(ctx, revocation.EverythingScope(), reason)
}

func (s *Service) revokeScope(ctx context.Context, scope revocation.Scope, reason Reason) error {
	err := s.cfg.Store.Update(ctx, func(tx Tx) error {
		return tx.Revoke(s.entry(scope, s.cfg.IDs.Next(), reason, s.now()))
	})
	if err == nil {
		s.sweep.wake()
	}
	return err
}

// counted reports n ended sessions, once that is durable.
func (s *Service) counted(reason Reason, n int, err error) error {
	if err == nil && n > 0 {
		s.cfg.Observer.Ended(reason, n)
	}
	return err
}

// found makes what is not there, or not there any more, a success.
func found(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
