package session

import (
	"context"
	"log/slog"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// RevokeOthers ends every other session of the holder's user with one mark, and returns how
// many were live. A holder whose session has ended gets the same errors as from
// [Service.RevokeOwn].
func (s *Service) RevokeOthers(ctx context.Context, h Holder) (int, error) {
	m := s.markOfHolder(h, ReasonUserRevoked)
	m.SpareHolder = true
	return s.mark(ctx, m)
}

// RevokeAll ends every session of the holder's user, also the holder's, with one mark, and
// returns how many were live. [ErrNotFresh] if the policy asks for a fresh authentication
// and this one is not.
func (s *Service) RevokeAll(ctx context.Context, h Holder) (int, error) {
	if s.cfg.RevokeAllRequiresFresh {
		if err := s.RequireFresh(h); err != nil {
			return 0, err
		}
	}
	return s.mark(ctx, s.markOfHolder(h, ReasonUserRevokedAll))
}

// RevokeUserRequest says which sessions of a user end, and why.
type RevokeUserRequest struct {
	UserID string
	// Except, if not zero, is a session of the user that stays as it is.
	Except sid.ID
	Cause  Cause
	Note   string // why, in words for people: it is logged
	DryRun bool   // only count
}

// maxNote is how long a note may be, in bytes of UTF-8.
const maxNote = 256

// RevokeUser ends the sessions of a user with one mark, and returns how many were live. A user
// without any is no error: the issuer does not know who exists. [ErrNotFound] if the session to
// spare is not one of the user's: then nothing ends.
func (s *Service) RevokeUser(ctx context.Context, req RevokeUserRequest) (int, error) {
	if err := checkText("reason", req.Note, maxNote); err != nil {
		return 0, err
	}
	if req.DryRun {
		return s.countOf(ctx, req.UserID, req.Except)
	}
	m := s.markRequest(revocation.UserScope(req.UserID), req.Cause)
	if !req.Except.IsZero() {
		m.Holder, m.SpareHolder = req.Except, true
		m.Allow = func(spared Snapshot) error {
			if spared.Session.User.ID != req.UserID {
				return ErrNotFound
			}
			return nil
		}
	}
	n, err := s.mark(ctx, m)
	if err != nil {
		return 0, err
	}
	if req.Note != "" {
		s.cfg.Logger.Info("sessions of a user revoked", slog.String("sub", req.UserID), slog.Int("sessions", n),
			slog.String("client", req.Cause.By), slog.String("note", req.Note))
	}
	return n, nil
}

// countOf counts the live sessions of a user, except for one.
func (s *Service) countOf(ctx context.Context, userID string, except sid.ID) (n int, err error) {
	if !except.IsZero() {
		if _, err := s.load(ctx, Ref{ID: except, UserID: userID}); err != nil {
			return 0, err
		}
	}
	_, err = s.list(ctx, Query{UserID: userID, Limit: MaxListed}, func(v View) bool {
		if v.ID != except && v.End.IsZero() {
			n++
		}
		return false // only count
	})
	return n, err
}

// RevokeClient ends every session that a client (a service key) has minted, with one mark.
func (s *Service) RevokeClient(ctx context.Context, clientID string, cause Cause) error {
	_, err := s.mark(ctx, s.markRequest(revocation.ClientScope(clientID), cause))
	return err
}

// RevokeEverything ends every session there is, with one mark.
func (s *Service) RevokeEverything(ctx context.Context, cause Cause) error {
	_, err := s.mark(ctx, s.markRequest(revocation.EverythingScope(), cause))
	return err
}

func (s *Service) markRequest(scope revocation.Scope, cause Cause) MarkRequest {
	now := s.now()
	return MarkRequest{
		Scope: scope, At: now, Reason: cause.Reason, By: cause.By,
		Notice: s.notice(now), Judge: s.judgeAt(now),
	}
}

// markOfHolder is a mark over the holder's user, on condition that the holder is live.
func (s *Service) markOfHolder(h Holder, reason Reason) MarkRequest {
	m := s.markRequest(revocation.UserScope(h.View.User.ID), Cause{Reason: reason})
	m.Holder = h.View.ID
	m.Allow = func(holder Snapshot) error { return s.requireLive(holder, m.At) }
	return m
}

// mark writes a mark, and wakes the sweeper to record the ends of the sessions under it.
func (s *Service) mark(ctx context.Context, m MarkRequest) (ended int, err error) {
	marked, err := s.cfg.Store.Mark(ctx, m)
	if err != nil {
		return 0, err
	}
	s.reportUnreadable("counting the sessions under a mark", marked.Unreadable)
	s.wakeSweeper()
	return marked.Ended, nil
}

// reportUnreadable logs that n records were skipped because they are damaged.
func (s *Service) reportUnreadable(during string, n int) {
	if n > 0 {
		s.cfg.Logger.Error("records of sessions cannot be read and were skipped",
			slog.Int("records", n), slog.String("during", during))
	}
}
