package session

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Refresh redeems a refresh token: it answers with a new access token and the refresh
// token to use next.
//
// A token that was copied ends its session and is [ErrRefreshTokenReused]; one that is
// not ours is [ErrRefreshTokenInvalid], without the store being asked. A session that has
// ended gives [ErrRevoked], [ErrExpired] or [ErrIdle]; one that is used from elsewhere
// gives [ErrNotFresh] or [ErrBindingMismatch], as the binding policy says.
func (s *Service) Refresh(ctx context.Context, refreshToken string, from Client) (Grant, error) {
	t, err := s.ring.open(refreshToken)
	if err != nil {
		return Grant{}, err
	}
	var r redemption
	err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
		r, err = s.judge(tx, t, from)
		if err != nil {
			return err
		}
		return s.apply(tx, r)
	})
	if err != nil {
		return Grant{}, lost(err)
	}
	s.report(r)
	if r.refusal != nil {
		return Grant{}, r.refusal
	}
	g, err := s.grant(r.view, r.now)
	if err != nil {
		return Grant{}, err
	}
	g.Outcome = r.outcome
	g.RefreshToken = s.ring.seal(s.successor(r, t))
	return g, nil
}

// Validate reads what a refresh token stands for, without redeeming it: the same verdict
// as [Service.Refresh], but nothing changes, so it may be repeated and its answer lost.
func (s *Service) Validate(ctx context.Context, refreshToken string, from Client) (View, error) {
	r, err := s.Read(ctx, refreshToken, from)
	return r.View, err
}

// redemption is what presenting a refresh token at a moment comes to.
type redemption struct {
	decision
	now     time.Time
	before  Snapshot
	view    View   // the session after it
	refusal error  // why it is refused; nil if it is not
	ends    Reason // why the session ends of it; "" if it does not

	network, browser bool // it came from another one than the sign-in, and the policy asks
	news             bool // the last use did not
}

// judge finds out what presenting t means. It writes nothing.
func (s *Service) judge(r Reader, t token, from Client) (redemption, error) {
	snap, view, err := s.load(r, t.sid, s.now())
	if err != nil {
		return redemption{}, err
	}
	// A clock that steps back must not issue a token that is older than the last one.
	now := latest(s.now(), snap.State.RedeemedAt, snap.State.LastSeenAt)
	out := redemption{now: now, before: snap, view: view}
	if !view.End.IsZero() {
		out.refusal, out.outcome = view.End.refusal(), Outcome(view.End.Reason)
		return out, nil
	}
	out.decision = s.cfg.Refresh.redeem(snap.State, t, now)
	if out.outcome == OutcomeReused {
		out.refusal, out.ends = ErrRefreshTokenReused, ReasonRefreshReuse
		return out, nil
	}
	s.bind(&out, from)
	if out.refusal == nil {
		if out.next != snap.State {
			out.next.LastIP = from.IP.Unmap()
		}
		out.view = s.unmarked(Snapshot{Session: snap.Session, State: out.next})
	}
	return out, nil
}

// apply writes what a redemption changes: most change nothing.
func (s *Service) apply(tx Tx, r redemption) error {
	switch {
	case r.ends != "":
		return s.end(tx, s.unmarked(r.before), r.ends, r.now)
	case r.refusal == nil && r.next != r.before.State:
		return tx.SetState(r.before.Session.ID, r.next)
	default:
		return nil
	}
}

// successor is the token that answers a redeemed one.
func (s *Service) successor(r redemption, presented token) token {
	switch r.answer {
	case same:
		return presented
	case strayed:
		return s.ring.stray(presented.sid, r.next)
	case child, none:
	}
	return s.ring.child(presented.sid, r.next)
}

// report tells the metrics and the log of a redemption, once it is durable.
func (s *Service) report(r redemption) {
	s.cfg.Observer.Refreshed(string(r.outcome))
	if r.ends != "" {
		s.cfg.Observer.Ended(r.ends, 1)
	}
	id := slog.String("sid", r.before.Session.ID.String())
	if r.outcome == OutcomeReused {
		s.cfg.Logger.Warn("refresh token reused: session ended", id, slog.String("sub", r.before.Session.User.ID))
	}
	if r.outcome == OutcomeRestored { // the first one is news, and then they all come
		level := slog.LevelInfo
		if s.restored.CompareAndSwap(false, true) {
			level = slog.LevelWarn
		}
		s.cfg.Logger.LogAttrs(context.Background(), level, "refresh token is newer than the store: was a backup restored?", id)
	}
	s.reportMove(r)
}

// lost makes a token of a session that the store does not know an invalid one: it was
// purged, or began after the backup that was restored.
func lost(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrRefreshTokenInvalid
	}
	return err
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
