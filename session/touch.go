package session

import (
	"context"
	"time"
)

// Reading is what a refresh token stands for, read without redeeming it.
type Reading struct {
	View View
	// RenewalDue says that its holder should redeem the token about now. It is said
	// once in an access token's lifetime, or in UpdateAge if that is longer, so that
	// asking often does not rotate often.
	RenewalDue bool

	now time.Time
}

// touchShare is the part of the idle timeout after which a reading may move the idle end:
// a client that never redeems is then signed out at most that part too early, and one
// that does redeem hardly ever causes a second write.
const touchShare = 10

// Read is [Service.Validate], and says whether a renewal is due.
func (s *Service) Read(ctx context.Context, refreshToken string, from Client) (Reading, error) {
	t, err := s.ring.open(refreshToken)
	if err != nil {
		return Reading{}, err
	}
	var r redemption
	err = s.cfg.Store.View(ctx, func(rd Reader) (err error) {
		r, err = s.judge(rd, t, from)
		return err
	})
	if err != nil {
		return Reading{}, lost(err)
	}
	return s.reading(r)
}

// Touch is [Service.Read] for clients that never redeem: using the newest token moves the
// idle end of its session, at most once in UpdateAge and in a tenth of the idle timeout.
// The token stays as it is, and nothing else changes.
func (s *Service) Touch(ctx context.Context, refreshToken string, from Client) (Reading, error) {
	t, err := s.ring.open(refreshToken)
	if err != nil {
		return Reading{}, err
	}
	var r redemption
	err = s.cfg.Store.View(ctx, func(rd Reader) (err error) {
		r, err = s.judge(rd, t, from)
		return err
	})
	if err == nil && s.untouched(r) {
		err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
			if r, err = s.judge(tx, t, from); err != nil || !s.untouched(r) {
				return err
			}
			r.before.State.LastSeenAt, r.before.State.LastIP = r.now, from.IP.Unmap()
			return tx.SetState(t.sid, r.before.State)
		})
		if err == nil {
			s.reportMove(r) // the next use finds the network known
		}
	}
	if err != nil {
		return Reading{}, lost(err)
	}
	return s.reading(r)
}

// untouched reports whether a reading is to move the idle end: only that of the newest
// token, since only an advance may.
func (s *Service) untouched(r redemption) bool {
	switch r.outcome {
	case OutcomeAdvanced, OutcomeRestored, OutcomeUnchanged:
		least := max(s.cfg.Refresh.UpdateAge, s.idleTimeout(r.before.Session)/touchShare)
		return r.refusal == nil && r.now.Sub(r.before.State.LastSeenAt) >= least
	default:
		return false
	}
}

func (s *Service) reading(r redemption) (Reading, error) {
	if r.refusal != nil {
		return Reading{}, r.refusal
	}
	// A session may end soon after its access token: half of its idle timeout is left then.
	least := max(s.cfg.Refresh.UpdateAge, min(s.cfg.AccessLifetime, s.idleTimeout(r.before.Session)/2))
	return Reading{
		View: s.unmarked(r.before), now: r.now,
		RenewalDue: r.now.Sub(r.before.State.RedeemedAt) >= least,
	}, nil
}

func (s *Service) idleTimeout(sess Session) time.Duration {
	return min(sess.IdleTimeout, s.cfg.IdleTimeout)
}

// Access signs an access token for a session that has just been read. The grant has no
// refresh token.
func (s *Service) Access(r Reading) (Grant, error) { return s.grant(r.View, r.now) }
