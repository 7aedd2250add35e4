package session

import (
	"context"
	"encoding/json"
	"time"

	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// MintRequest is a request for a session, by a backend that has authenticated the user.
type MintRequest struct {
	User     User
	ClientID string          // the name of the service key that asks
	Claims   json.RawMessage // an object of further claims, or nil
	Audience []string        // nil: the configured one
	Scope    string          // of its access tokens (RFC 9068 §2.2.3); "" for none
	AMR      []string
	ACR      string
	Label    string
	From     Device // the user's device, not the backend
	// Replaces, if not zero, is a session of the same user that ends with [ReasonReplaced], as
	// that of the browser which signs in again. An unknown one, or one that has ended, is ignored.
	Replaces sid.ID
	// MaxAccessToken is how many bytes its access tokens may have; 0 for any number.
	MaxAccessToken int
}

// Mint begins a session. It refuses a request with a [FieldError], a [TokenSizeError] or [ErrLimit]. The limit
// holds however many sign-ins of a user run at once.
func (s *Service) Mint(ctx context.Context, req MintRequest) (Grant, error) {
	now := s.now()
	sess, err := s.newSession(req, s.cfg.IdleTimeout, now)
	if err != nil {
		return Grant{}, err
	}
	v, err := s.begin(ctx, CreateRequest{
		Session:   sess,
		Admission: Admission{At: now, Limit: s.limit(now), Replaces: req.Replaces},
	})
	if err != nil {
		return Grant{}, err
	}
	g, err := s.grant(v, v.CreatedAt)
	if err != nil {
		return Grant{}, err
	}
	g.RefreshToken = s.ring.Seal(s.ring.First(v.ID))
	return g, nil
}

// begin begins a session, on behalf of its client.
func (s *Service) begin(ctx context.Context, c CreateRequest) (View, error) {
	now, from := c.Session.CreatedAt, Device{IP: c.Session.IP, UserAgent: c.Session.UserAgent}
	c.State = State{State: refresh.State{RedeemedAt: now}, RedeemedFrom: from, LastSeenAt: now, LastFrom: from}
	c.By = c.Session.ClientID
	created, err := s.cfg.Store.Create(ctx, c)
	if err != nil {
		return View{}, err
	}
	if !created.EvictedUpTo.IsZero() {
		s.wakeSweeper() // to record the ends
	}
	return s.view(created.Session, now), nil
}

// checkTokenSize refuses a session with a [TokenSizeError] if its access tokens would have more than limit
// bytes. It signs one to know: the session's id does not change the length.
func (s *Service) checkTokenSize(sess Session, limit int, now time.Time) error {
	if limit == 0 {
		return nil
	}
	g, err := s.grant(View{Session: sess, IdleExpiresAt: sess.ExpiresAt}, now)
	switch {
	case err != nil:
		return err
	case len(g.AccessToken) > limit:
		return &TokenSizeError{Size: len(g.AccessToken), Limit: limit}
	}
	return nil
}

// newSession checks a request and returns the record of the session that begins now. The store
// gives its ID.
func (s *Service) newSession(req MintRequest, idle time.Duration, now time.Time) (Session, error) {
	if err := req.check(); err != nil {
		return Session{}, err
	}
	sess := Session{
		User: req.User, ClientID: req.ClientID, Claims: req.Claims, Audience: req.Audience,
		Scope: req.Scope, AMR: req.AMR, ACR: req.ACR, Label: req.Label,
		IP: req.From.IP.Unmap(), UserAgent: req.From.UserAgent,
		CreatedAt: now, AuthTime: now.Truncate(time.Second),
		ExpiresAt: now.Add(s.cfg.AbsoluteTimeout).Truncate(time.Second), IdleTimeout: idle,
	}
	return sess, s.checkTokenSize(sess, req.MaxAccessToken, now)
}

// limit is how many sessions a user may have.
func (s *Service) limit(now time.Time) Limit {
	return Limit{Max: s.cfg.MaxPerUser, Policy: s.cfg.OnLimit, Judge: s.judgeAt(now), Notice: s.notice(now)}
}
