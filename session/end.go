package session

import (
	"context"
	"time"

	"issuer.example/sid"
)

// Cause says why sessions are ended, and which client asked for it.
type Cause struct {
	Reason Reason
	By     string // the name of the service key; "" if no client asked
}

// Revoke ends one session. It returns [ErrNotFound] if there is none. If the session has
// ended already, it changes nothing and returns nil.
func (s *Service) Revoke(ctx context.Context, id sid.ID, cause Cause) error {
	return s.end(ctx, Target{Ref: Ref{ID: id}}, cause)
}

// RevokeOwn ends one session of the holder's user. [ErrNotFound] if it is another user's. A
// holder whose own session has ended since it was authenticated gets [ErrRevoked],
// [ErrExpired] or [ErrIdle], so that of two sessions that end each other one succeeds.
func (s *Service) RevokeOwn(ctx context.Context, h Holder, id sid.ID) error {
	own := Ref{ID: id, UserID: h.View.User.ID}
	if id == h.View.ID {
		return s.end(ctx, Target{Ref: own}, Cause{Reason: ReasonSignOut})
	}
	return s.end(ctx, Target{Ref: own, Holder: h.View.ID}, Cause{Reason: ReasonUserRevoked})
}

// SignOut ends the session of an access token, which may have expired, or of a refresh token of
// any generation. It is a success if the session has ended already, or the store no longer has it.
// A token whose key is gone cannot be verified: the error is [jwt.ErrUnknownKey] or [ErrKeyGone].
func (s *Service) SignOut(ctx context.Context, credential string) error {
	id, err := s.sessionOf(credential)
	if err != nil {
		return err
	}
	return ignoreNotFound(s.Revoke(ctx, id, Cause{Reason: ReasonSignOut}))
}

// RevokeToken ends the session of a token (RFC 7009), as [Service.SignOut] does. It is a success if
// the token was not issued here, or cannot be verified any more.
func (s *Service) RevokeToken(ctx context.Context, text string) error {
	id, err := s.sessionOf(text)
	if err != nil {
		return nil //nolint:nilerr // RFC 7009 §2.2: an invalid token is a success
	}
	return ignoreNotFound(s.Revoke(ctx, id, Cause{Reason: ReasonTokenRevoked}))
}

// end ends one session now, unless it has ended already. The target's holder, if it has one,
// must be live.
func (s *Service) end(ctx context.Context, target Target, cause Cause) error {
	now := s.now()
	_, err := s.cfg.Store.Change(ctx, target, func(snap, holder Snapshot) (Change, error) {
		if !target.Holder.IsZero() {
			if err := s.requireLive(holder, now); err != nil {
				return Change{}, err
			}
		}
		if !s.view(snap, now).End.IsZero() {
			return Change{}, nil
		}
		return Change{End: s.ending(snap, cause, now)}, nil
	})
	return err
}

// ending returns what to write to end a live session now.
func (s *Service) ending(snap Snapshot, cause Cause, now time.Time) *Ending {
	return &Ending{
		End: End{At: now, Reason: cause.Reason},
		By:  cause.By,
		// A process whose clock was ahead may have issued tokens with later times.
		Notice: s.notice(now, snap.State.LastSeenAt, snap.Session.AuthTime),
	}
}
