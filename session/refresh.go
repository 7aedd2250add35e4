package session

import (
	"context"
	"log/slog"
	"time"

	"issuer.example/session/refresh"
)

// Refresh redeems a refresh token: it answers with a new access token and the refresh
// token to use next.
//
// A token that was copied ends its session and is [ErrRefreshTokenReused]; one that was not
// issued here is [ErrRefreshTokenInvalid], without a look at the store. A session that has
// ended gives [ErrRevoked], [ErrExpired] or [ErrIdle]; one that is used from elsewhere
// gives [ErrNotFresh] or [ErrBindingMismatch], as the binding policy says.
func (s *Service) Refresh(ctx context.Context, refreshToken string, from Device) (Grant, error) {
	t, err := s.ring.Open(refreshToken)
	if err != nil {
		return Grant{}, err
	}
	now := s.now()
	var r redemption
	_, err = s.cfg.Store.Change(ctx, Target{Ref: Ref{ID: t.SID}}, func(snap, _ Snapshot) (Change, error) {
		r = s.redeem(snap, t, from, now)
		return s.changeOf(r), nil
	})
	if err != nil {
		return Grant{}, invalidIfNotFound(err, ErrRefreshTokenInvalid)
	}
	s.report(r)
	if r.refusal != nil {
		return Grant{}, r.refusal
	}
	g, err := s.grant(r.view, r.now)
	if err != nil {
		return Grant{}, err
	}
	g.Outcome, g.RefreshToken = r.Outcome, s.ring.Answer(t, r.Decision)
	return g, nil
}

// redemption is the outcome of presenting a refresh token at one moment.
type redemption struct {
	refresh.Decision

	now     time.Time
	before  Snapshot
	view    View   // the session afterwards
	refusal error  // why the token is refused; nil if it is accepted
	ends    Reason // why the session ends; "" if it does not

	// networkChanged and browserChanged: the request came from another network or browser
	// than the sign-in, and the binding policy compares that. needsLog: this has to be
	// logged, because the network is also not that of the last use, or the browser differs.
	networkChanged, browserChanged, needsLog bool
}

// redeem decides what presenting t means for a session.
func (s *Service) redeem(snap Snapshot, t refresh.Token, from Device, now time.Time) redemption {
	view := s.view(snap, now)
	// A clock that steps back, or that is behind another issuer's, must not issue a token
	// that is older than the last one.
	r := redemption{now: latest(now, snap.State.RedeemedAt, snap.State.LastSeenAt), before: snap, view: view}
	if !view.End.IsZero() {
		r.refusal, r.Outcome = view.End.refusal(), refresh.Outcome(view.End.Reason)
		return r
	}
	r.Decision = s.cfg.Refresh.Redeem(snap.State.State, t, r.now)
	if r.Outcome == refresh.Reused {
		r.refusal, r.ends = ErrRefreshTokenReused, ReasonRefreshReuse
		return r
	}
	s.bind(&r, from)
	if r.refusal == nil && r.Advances() {
		snap.State = State{State: r.Next, LastSeenAt: r.now, LastIP: from.IP.Unmap()}
		r.view = s.view(snap, r.now)
	}
	if end := lastSecond(r.view, r.now); r.refusal == nil && !end.IsZero() {
		r.refusal, r.Outcome = end.refusal(), refresh.Outcome(end.Reason)
	}
	return r
}

// changeOf returns what a redemption writes. Only an advance and an end write anything.
func (s *Service) changeOf(r redemption) Change {
	switch {
	case r.ends != "":
		return Change{End: s.ending(r.before, Cause{Reason: r.ends}, r.now)}
	case r.refusal == nil && r.Advances():
		return Change{State: &State{State: r.Next, LastSeenAt: r.view.LastSeenAt, LastIP: r.view.LastIP}}
	default:
		return Change{}
	}
}

// report tells the metrics and the log of a redemption, once it is durable.
func (s *Service) report(r redemption) {
	s.cfg.Observer.Refreshed(string(r.Outcome))
	id := slog.String("sid", r.before.Session.ID.String())
	if r.Outcome == refresh.Reused {
		s.cfg.Logger.Warn("refresh token reused: session ended", id, slog.String("sub", r.before.Session.User.ID))
	}
	if r.Outcome == refresh.Restored { // warn once: after a restore it happens in many sessions
		level := slog.LevelInfo
		if s.restored.CompareAndSwap(false, true) {
			level = slog.LevelWarn
		}
		s.cfg.Logger.LogAttrs(context.Background(), level, "refresh token is newer than the store: was a backup restored?", id)
	}
	s.reportMove(r)
}
