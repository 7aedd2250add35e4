package session

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/jwt"
	"issuer.example/session/refresh"
)

// RefreshTokenLen is the length of a refresh token's text, in bytes.
const RefreshTokenLen = refresh.TokenLen

// maxLeeway is the most that a verifier may allow for clocks that differ. What verifiers
// must know of a revocation is kept for them that much longer.
const maxLeeway = time.Minute

// Grant is what a client gets: a session and the tokens for it.
type Grant struct {
	View            View
	AccessToken     string
	AccessExpiresAt time.Time
	RefreshToken    string          // "" where none is due
	Outcome         refresh.Outcome // of a refresh
}

// grant signs an access token for a live session. It expires no later than the session. In the last
// second of a session it may be refused with [ErrIdle] or [ErrExpired]; see lastSecond.
func (s *Service) grant(v View, now time.Time) (Grant, error) {
	if end := lastSecond(v, now); !end.IsZero() {
		return Grant{}, end.refusal()
	}
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
	var err error
	if claims.Extra, err = extraClaims(v.Session); err != nil {
		return Grant{}, err
	}
	text, err := s.cfg.Signer.Mint(claims)
	if err != nil {
		return Grant{}, mintError(err)
	}
	s.noteIssueTime(now)
	return Grant{View: v, AccessToken: text, AccessExpiresAt: expiry}, nil
}

// extraClaims are the session's further claims, and its scope.
func extraClaims(sess Session) (extra map[string]json.RawMessage, err error) {
	if sess.Claims != nil {
		if err := json.Unmarshal(sess.Claims, &extra); err != nil {
			return nil, fmt.Errorf("reading the claims of session %s: %w", sess.ID, err)
		}
	}
	if sess.Scope == "" {
		return extra, nil
	}
	if extra == nil {
		extra = make(map[string]json.RawMessage, 1)
	}
	if extra["scope"], err = json.Marshal(sess.Scope); err != nil {
		return nil, fmt.Errorf("writing the scope of session %s: %w", sess.ID, err)
	}
	return extra, nil
}

// mintError is an error of our own minting. It hides the sentinels of package jwt, which
// would otherwise be taken for a verdict on a token that the caller has sent.
func mintError(err error) error {
	if jwt.Cause(err) != "" {
		return fmt.Errorf("minting an access token: %s", err.Error())
	}
	return fmt.Errorf("minting an access token: %w", err)
}

// noteIssueTime remembers the latest issue time of a token.
func (s *Service) noteIssueTime(at time.Time) {
	for ms := at.UnixMilli(); ; {
		newest := s.issued.Load()
		if ms <= newest || s.issued.CompareAndSwap(newest, ms) {
			return
		}
	}
}

// latestIssued is the latest of the given times and of the issue times of this process's tokens.
func (s *Service) latestIssued(times ...time.Time) time.Time {
	return latest(append(times, time.UnixMilli(s.issued.Load()).UTC())...)
}

// notice says for how long verifiers must know of a revocation. The times are possible issue
// times of the tokens that it revokes.
func (s *Service) notice(times ...time.Time) Notice {
	return Notice{Issued: s.latestIssued(times...), Life: s.cfg.AccessLifetime + maxLeeway}
}
