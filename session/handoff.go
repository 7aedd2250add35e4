package session

import (
	"context"
	"log/slog"
	"time"

	"issuer.example/fact"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// HandoffLifetime is how long a hand-off code can be claimed.
const HandoffLifetime = time.Minute

// Handoff is a session that waits to be claimed.
type Handoff struct {
	View View // its idle end is when the code expires
	Code string
}

// MintHandoff is [Service.Mint] for a browser on another site: instead of tokens there is
// a code, which a page of that origin can claim once within [HandoffLifetime]. With "" it can
// be a page of any origin that the caller of [Service.Claim] admits. A session that is not
// claimed ends with its code. Until then it does not count for limits, and ends no other.
func (s *Service) MintHandoff(ctx context.Context, req MintRequest, origin string) (Handoff, error) {
	now := s.now()
	sess, err := s.newSession(req, min(HandoffLifetime, s.cfg.IdleTimeout), now)
	if err != nil {
		return Handoff{}, err
	}
	sess.Unclaimed, sess.Replaces = true, req.Replaces
	unlimited := s.limit(now)
	unlimited.Max = 0
	v, err := s.begin(ctx, CreateRequest{Session: sess, Admission: Admission{At: now, Limit: unlimited}})
	if err != nil {
		return Handoff{}, err
	}
	return Handoff{View: v, Code: s.ring.SealHandoff(v.ID, origin)}, nil
}

// Claim redeems a hand-off code for a page of that origin. The grant has both tokens. A
// code that is forged, for another origin, too old or used before is [ErrHandoffInvalid];
// one whose session was ended meanwhile is [ErrRevoked]. [ErrLimit] if the user has too many
// sessions by now. Of any number of concurrent claims one succeeds.
//
// A code that comes a second time was seen by somebody else, so the session that it gave out
// ends, whoever was first (RFC 6749 §4.1.2).
func (s *Service) Claim(ctx context.Context, code, origin string, from Device) (Grant, error) {
	id, err := s.ring.OpenHandoff(code, origin)
	if err != nil {
		return Grant{}, err
	}
	now, branch := s.now(), refresh.RandomBranch()
	var before Session
	var reused bool
	after, err := s.cfg.Store.Change(ctx, Target{Ref: Ref{ID: id}}, func(snap, _ Snapshot) (c Change, err error) {
		before = snap.Session
		c, err = s.claim(snap, branch, from.clean(), now)
		reused = c.End != nil
		return c, err
	})
	if err != nil {
		return Grant{}, invalidIfNotFound(err, ErrHandoffInvalid)
	}
	if reused {
		s.cfg.Logger.Warn("hand-off code used a second time: session ended", slog.String("sid", id.String()),
			slog.String("sub", after.Session.User.ID), slog.String("ip", addressText(from.IP)))
		return Grant{}, ErrHandoffInvalid
	}
	s.reportBound(before, after.Session)
	claimedAt := after.State.RedeemedAt
	g, err := s.grant(s.view(after, claimedAt), claimedAt)
	if err != nil {
		return Grant{}, err
	}
	g.RefreshToken = s.ring.Seal(s.ring.Child(id, after.State.State))
	return g, nil
}

// claim decides what claiming the code of a session means. It is the first use of the session.
func (s *Service) claim(snap Snapshot, branch refresh.Branch, from Device, now time.Time) (Change, error) {
	switch end := s.view(snap, now).End; {
	case snap.State.Generation != 0 && end.IsZero():
		return Change{End: s.ending(snap, Cause{Reason: ReasonHandoffReuse}, now)}, nil
	case snap.State.Generation != 0:
		return Change{}, ErrHandoffInvalid
	case !end.IsZero() && end.Reason != ReasonIdle && end.Reason != ReasonExpired:
		return Change{}, end.refusal()
	case !end.IsZero():
		return Change{}, ErrHandoffInvalid
	}
	at := latest(now, snap.State.LastSeenAt)
	sess := s.bound(snap.Session, from)
	sess.IdleTimeout = s.cfg.IdleTimeout
	sess.Unclaimed, sess.Replaces = false, sid.ID{}
	c := Change{
		Session: &sess,
		State:   &State{State: s.ring.Claimed(branch, at), RedeemedFrom: from, LastSeenAt: at, LastFrom: from},
		Facts:   []fact.Fact{{Kind: fact.Changed, At: at, SID: sess.ID, What: factClaimed}},
	}
	if snap.Session.Unclaimed {
		c.Admission = &Admission{At: at, Limit: s.limit(at), Replaces: snap.Session.Replaces}
	}
	return c, nil
}
