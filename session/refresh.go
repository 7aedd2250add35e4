package session

import (
	"context"
	"time"

	"issuer.example/session/refresh"
)

// Refresh redeems a refresh token: it answers with a new access token and the refresh
// token to use next.
//
// A token that was copied ends its session and is [ErrRefreshTokenReused]; one that was not
// issued here is [ErrRefreshTokenInvalid], without a look at the store. A session that has
// ended gives [ErrRevoked], [ErrExpired] or [ErrIdle]; one that is used from elsewhere
// gives [ErrNotFresh] or [ErrBindingMismatch], as the binding policy says. The grant that comes
// with an error has the ID of the session and the Outcome, as far as they are known.
func (s *Service) Refresh(ctx context.Context, refreshToken string, from Device) (Grant, error) {
	t, err := s.ring.Open(refreshToken)
	if err != nil {
		return Grant{}, err
	}
	refused := Grant{View: View{Session: Session{ID: t.SID}}}
	now := s.now()
	var r redemption
	_, err = s.cfg.Store.Change(ctx, Target{Ref: Ref{ID: t.SID}}, func(snap, _ Snapshot) (Change, error) {
		r = s.redeem(snap, t, from, now)
		return s.changeOf(r), nil
	})
	if err != nil {
		return refused, invalidIfNotFound(err, ErrRefreshTokenInvalid)
	}
	refused.Outcome = r.Outcome
	s.report(r)
	if r.refusal != nil {
		return refused, r.refusal
	}
	g, err := s.grant(r.view, r.now)
	if err != nil {
		return refused, err
	}
	g.View = s.forRedeemer(r)
	g.Outcome, g.RefreshToken = r.Outcome, s.ring.Answer(t, r.Decision)
	return g, nil
}

// forRedeemer is what the holder who redeems may see. An advance is the holder's own use.
func (s *Service) forRedeemer(r redemption) View {
	if r.Advances() {
		return s.inSteps(r.view, r.view.LastSeenAt, r.now)
	}
	return s.forHolder(r.view, r.now)
}

// redemption is the outcome of presenting a refresh token at one moment.
type redemption struct {
	refresh.Decision

	now       time.Time
	from      Device
	presented refresh.Token
	before    Snapshot
	after     Snapshot // as the redemption leaves it, unless the token is refused
	view      View     // of after
	refusal   error    // why the token is refused; nil if it is accepted
	ends      Reason   // why the session ends; "" if it does not
	touched   bool     // it was a reading that has moved the idle end

	// networkChanged and browserChanged: the request came from another network or browser
	// than the sign-in, and the binding policy compares that. needsLog: this has to be
	// logged, because the network is also not that of the last use, or the browser differs.
	networkChanged, browserChanged, needsLog bool
}

// redeem decides what presenting t means for a session.
func (s *Service) redeem(snap Snapshot, t refresh.Token, from Device, now time.Time) redemption {
	view, from := s.view(snap, now), from.clean()
	// A clock that steps back, or that is behind another issuer's, must not issue a token
	// that is older than the last one.
	r := redemption{
		now: latest(now, snap.State.RedeemedAt, snap.State.LastSeenAt), from: from, presented: t,
		before: snap, after: snap, view: view,
	}
	if !view.End.IsZero() {
		r.refusal, r.Outcome = view.End.refusal(), refresh.Outcome(view.End.Reason)
		return r
	}
	r.Decision = s.cfg.Refresh.Redeem(snap.State.State, s.use(&r))
	if r.Outcome == refresh.Reused {
		r.refusal, r.ends = ErrRefreshTokenReused, ReasonRefreshReuse
		return r
	}
	s.bind(&r)
	if r.refusal == nil {
		s.complete(&r)
	}
	if end := lastSecond(r.view, r.now); r.refusal == nil && !end.IsZero() {
		r.refusal, r.Outcome = end.refusal(), refresh.Outcome(end.Reason)
	}
	return r
}

// use is the use of the token that is presented.
func (s *Service) use(r *redemption) refresh.Use {
	use := refresh.Use{
		Token: r.presented, At: r.now, Elsewhere: elsewhere(r.before.State.RedeemedFrom, r.from),
	}
	use.Parent = use.Elsewhere && s.ring.IsParent(r.presented, r.before.State.State)
	return use
}

// complete makes r.after the session as an accepted redemption leaves it.
func (s *Service) complete(r *redemption) {
	r.after.State.State = r.Next
	if r.Advances() {
		r.after.State = s.used(r.after.State, r.from, r.now)
		r.after.State.RedeemedFrom = r.from
		r.after.State.WasDue = s.dueSince(r.before.State.RedeemedAt, r.before.Session, r.now)
		r.after.Session = s.bound(r.after.Session, r.from)
		r.view = s.view(r.after, r.now)
	}
}

// changeOf returns what a redemption writes: an advance, an end, and the first use apart in a
// generation.
func (s *Service) changeOf(r redemption) (c Change) {
	switch {
	case r.ends != "":
		c.End = s.ending(r.before, Cause{Reason: r.ends}, r.now)
		if r.Outcome == refresh.Reused {
			c.State = &r.after.State
			c.State.Reuse = Reuse{Generation: r.presented.Generation, From: r.from}
		}
	case r.refusal == nil && r.after.State != r.before.State:
		c.State = &r.after.State
		if isBound(r.before.Session, r.after.Session) {
			c.Session = &r.after.Session
		}
	}
	return c
}
