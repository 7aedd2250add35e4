package session

import (
	"context"
	"time"

	"issuer.example/session/refresh"
)

// Reading is the session of a refresh token, read without redeeming the token.
type Reading struct {
	View View
	// RenewalDue says that the holder should redeem the token now. It is true when the last
	// redemption is at least an access token's lifetime ago (half of the idle timeout if
	// that is shorter, UpdateAge if that is longer), so that reading often does not rotate
	// often.
	RenewalDue bool

	exact View // not in steps
	now   time.Time
}

// touchShare is the part of the idle timeout after which a reading may move the idle end:
// a client that never redeems is then signed out at most that part too early, and one
// that does redeem hardly ever causes a second write.
const touchShare = 10

// Validate reads the session of a refresh token without redeeming the token. Its verdict is
// that of [Service.Refresh], but nothing changes: it can be repeated, and its answer can be lost.
func (s *Service) Validate(ctx context.Context, refreshToken string, from Device) (View, error) {
	r, err := s.Read(ctx, refreshToken, from)
	return r.View, err
}

// Read is [Service.Validate], and says whether a renewal is due.
func (s *Service) Read(ctx context.Context, refreshToken string, from Device) (Reading, error) {
	t, err := s.ring.Open(refreshToken)
	if err != nil {
		return Reading{}, err
	}
	r, err := s.readToken(ctx, t, from)
	if err != nil {
		return Reading{}, err
	}
	return s.reading(r)
}

// readToken judges a token without redeeming it.
func (s *Service) readToken(ctx context.Context, t refresh.Token, from Device) (redemption, error) {
	snap, err := s.cfg.Store.Load(ctx, Ref{ID: t.SID})
	if err != nil {
		return redemption{}, invalidIfNotFound(err, ErrRefreshTokenInvalid)
	}
	return s.redeem(snap, t, from, s.now()), nil
}

// Touch is [Service.Read] for clients that never redeem: using the newest token moves the
// idle end of its session, at most once in UpdateAge and in a tenth of the idle timeout.
// The token stays as it is, and nothing else changes.
func (s *Service) Touch(ctx context.Context, refreshToken string, from Device) (Reading, error) {
	t, err := s.ring.Open(refreshToken)
	if err != nil {
		return Reading{}, err
	}
	r, err := s.readToken(ctx, t, from)
	if err == nil && s.touchDue(r) {
		r, err = s.touch(ctx, t, from)
	}
	if err != nil {
		return Reading{}, err
	}
	return s.reading(r)
}

// touch moves the idle end of a session, unless that is no longer due.
func (s *Service) touch(ctx context.Context, t refresh.Token, from Device) (redemption, error) {
	now := s.now()
	var r redemption
	_, err := s.cfg.Store.Change(ctx, Target{Ref: Ref{ID: t.SID}}, func(snap, _ Snapshot) (Change, error) {
		r = s.redeem(snap, t, from, now)
		if !s.touchDue(r) {
			return Change{}, nil
		}
		st := s.used(snap.State, r.from, r.now)
		r.before.State, r.touched = st, true
		return Change{State: &st}, nil
	})
	if err != nil {
		return redemption{}, invalidIfNotFound(err, ErrRefreshTokenInvalid)
	}
	s.reportMove(r) // the next use is no longer the first one in that network
	return r, nil
}

// touchDue reports whether a reading is to move the idle end: only that of the newest
// token, because only an advance may.
func (s *Service) touchDue(r redemption) bool {
	least := max(s.cfg.Refresh.UpdateAge, s.idleTimeout(r.before.Session)/touchShare)
	return r.refusal == nil && r.Newest() && r.now.Sub(r.before.State.LastSeenAt) >= least
}

// reading is the answer to one who only reads: the session as it is, not as a redemption
// would leave it.
func (s *Service) reading(r redemption) (Reading, error) {
	if r.refusal != nil {
		return Reading{}, r.refusal
	}
	view := s.view(r.before, r.now)
	return Reading{View: s.forReader(r, view), RenewalDue: s.renewalDue(r, view), exact: view, now: r.now}, nil
}

// renewalDue is [Reading.RenewalDue]. Who holds a copy of a token must not learn from it that the
// token was redeemed: until the step of the redemption is over it says the same as before.
func (s *Service) renewalDue(r redemption, v View) bool {
	switch {
	case r.Newest():
		return s.dueSince(v.RedeemedAt, v.Session, r.now)
	case s.step() != 0 && !s.inEarlierStep(v.RedeemedAt, r.now):
		return v.WasDue
	default:
		return s.dueSince(s.shownUse(v, r.now), v.Session, r.now)
	}
}

// dueSince reports whether a renewal is due now if the last one was then. An idle timeout may be
// hardly longer than the access lifetime: its half leaves time to renew.
func (s *Service) dueSince(last time.Time, sess Session, now time.Time) bool {
	return now.Sub(last) >= max(s.cfg.Refresh.UpdateAge, min(s.cfg.AccessLifetime, s.idleTimeout(sess)/2))
}

// forReader is what the holder who reads may see. A use that the reading has made is the
// holder's own.
func (s *Service) forReader(r redemption, v View) View {
	if r.touched {
		return s.inSteps(v, v.LastSeenAt, r.now)
	}
	return s.forHolder(v, r.now)
}

// Access signs an access token for a session that has just been read. The grant has no
// refresh token.
func (s *Service) Access(r Reading) (Grant, error) {
	g, err := s.grant(r.exact, r.now)
	g.View = r.View
	return g, err
}
