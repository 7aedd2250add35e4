package session

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// Grant is what a client gets: a session and the tokens for it.
type Grant struct {
	View            View
	AccessToken     string
	AccessExpiresAt time.Time
	RefreshToken    string  // "" where none is due
	Outcome         Outcome // of a refresh
}

// grant signs an access token for a live session.
func (s *Service) grant(v View, now time.Time) (Grant, error) {
	issued := now.Truncate(time.Second)
	expiry := issued.Add(s.cfg.AccessLifetime)
	if end := v.IdleExpiresAt.Truncate(time.Second); end.Before(expiry) {
		expiry = end
	}
	claims := &jwt.Claims{
		Issuer: s.cfg.Issuer, Subject: v.User.ID, Audience: v.Audience,
		IssuedAt: issued, Expiry: expiry, AuthTime: v.AuthTime,
		ID: rand.Text(), SessionID: v.ID.String(), ClientID: v.ClientID,
		AMR: v.AMR, ACR: v.ACR,
	}
	if len(claims.Audience) == 0 {
		claims.Audience = s.cfg.Audience
	}
	if v.Claims != nil {
		if err := json.Unmarshal(v.Claims, &claims.Extra); err != nil {
			return Grant{}, fmt.Errorf("reading the claims of session %s: %w", v.ID, err)
		}
	}
	text, err := s.cfg.Signer.Mint(claims)
	if err != nil {
		return Grant{}, unminted(err)
	}
	s.dated(now)
	return Grant{View: v, AccessToken: text, AccessExpiresAt: expiry}, nil
}

// unminted is an error of our own minting. It must not look like one of a token that a
// caller has brought, so it hides what package jwt calls it.
func unminted(err error) error {
	if jwt.Cause(err) != "" {
		return fmt.Errorf("minting an access token: %s", err.Error())
	}
	return fmt.Errorf("minting an access token: %w", err)
}

// dated notes the time that a token was dated with.
func (s *Service) dated(at time.Time) {
	for ms := at.UnixMilli(); ; {
		newest := s.issued.Load()
		if ms <= newest || s.issued.CompareAndSwap(newest, ms) {
			return
		}
	}
}
