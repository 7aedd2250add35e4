package session

import (
	"context"
	"encoding/json"
	"time"

	"issuer.example/revocation"
	"issuer.example/session/refresh"
)

// MintRequest is a request for a session, by a backend that has authenticated the user.
type MintRequest struct {
	User     User
	ClientID string          // the name of the service key that asks
	Claims   json.RawMessage // an object of further claims, or nil
	Audience []string        // nil: the configured one
	AMR      []string
	ACR      string
	Label    string
	From     Client // the user's device, not the backend
}

// Mint begins a session. What it refuses is a [FieldError], [ErrLimit] or
// [ErrUnavailable]. The limit holds however many sign-ins of a user run at once, because
// it is judged in the transaction that adds the session.
func (s *Service) Mint(ctx context.Context, req MintRequest) (Grant, error) {
	v, now, err := s.begin(ctx, req, s.cfg.IdleTimeout)
	if err != nil {
		return Grant{}, err
	}
	g, err := s.grant(v, now)
	if err != nil {
		return Grant{}, err
	}
	g.RefreshToken = s.ring.seal(s.ring.first(v.ID))
	return g, nil
}

// begin begins a session of that idle timeout.
func (s *Service) begin(ctx context.Context, req MintRequest, idle time.Duration) (v View, now time.Time, err error) {
	if err := req.check(); err != nil {
		return View{}, now, err
	}
	evicted := 0
	err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
		now, evicted = s.now(), 0
		if s.cfg.MaxPerUser > 0 {
			if evicted, err = s.makeRoom(tx, req.User.ID, now); err != nil {
				return err
			}
		}
		v, err = s.create(tx, req, now, idle)
		return err
	})
	if err != nil {
		return View{}, now, err
	}
	s.cfg.Observer.Minted()
	s.cfg.Observer.Ended(ReasonLimit, evicted)
	return v, now, nil
}

// create adds the session, under an id above every mark that could cover it.
func (s *Service) create(tx Tx, req MintRequest, now time.Time, idle time.Duration) (View, error) {
	for _, scope := range revocation.ScopesOf(req.User.ID, req.ClientID) {
		mark, ok, err := tx.Mark(scope)
		if err != nil {
			return View{}, err
		}
		if ok {
			s.cfg.IDs.Observe(mark.SID)
		}
	}
	sess := Session{
		ID: s.cfg.IDs.Next(), User: req.User, ClientID: req.ClientID,
		Claims: req.Claims, Audience: req.Audience, AMR: req.AMR, ACR: req.ACR, Label: req.Label,
		IP: req.From.IP.Unmap(), UserAgent: req.From.UserAgent,
		CreatedAt: now, AuthTime: now.Truncate(time.Second),
		ExpiresAt: now.Add(s.cfg.AbsoluteTimeout).Truncate(time.Second), IdleTimeout: idle,
	}
	st := State{State: refresh.State{RedeemedAt: now}, LastSeenAt: now, LastIP: sess.IP}
	v := s.unmarked(Snapshot{Session: sess, State: st})
	return v, tx.Create(sess, st, v.IdleExpiresAt)
}

// makeRoom ends as many sessions of the user as the limit asks for, so that one more fits.
func (s *Service) makeRoom(tx Tx, userID string, now time.Time) (int, error) {
	var live []View
	for v, err := range s.live(tx, userID, now) {
		if err != nil {
			return 0, err
		}
		live = append(live, v)
	}
	excess := len(live) + 1 - s.cfg.MaxPerUser
	if excess <= 0 {
		return 0, nil
	}
	switch s.cfg.OnLimit {
	case LimitRefuse:
		return 0, ErrLimit
	case LimitEvictIdle:
		sortByLastSeen(live)
	case LimitEvictOldest: // as they come: newest first
	}
	excess = min(excess, maxEvicted)
	for _, v := range live[len(live)-excess:] {
		if err := s.end(tx, v, ReasonLimit, now); err != nil {
			return 0, err
		}
	}
	return excess, nil
}
