package jwt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxLeeway is the largest [VerifierConfig.Leeway].
const MaxLeeway = 60 * time.Second

// VerifierConfig says what a verifier accepts.
type VerifierConfig struct {
	// Issuer is the exact iss. Required.
	Issuer string
	// Audience names the service: at least one of these must be a member of aud,
	// exactly. Required, unless AnyAudience is set.
	Audience []string
	// AnyAudience accepts any aud. It is for a service that answers questions about
	// tokens that are meant for others, such as introspection (RFC 7662). A service that
	// acts on a token leaves it false. Audience must be empty with it.
	AnyAudience bool
	// Type is the typ that tokens must have, compared without regard to case or to
	// the prefix "application/". Empty means [TypeAccessToken].
	Type string
	// Leeway is how far the clocks of the issuer and the verifier may differ, 0 to
	// [MaxLeeway]. Zero means none.
	Leeway time.Duration
	// MaxLifetime is the longest time from iat to exp. Zero means no limit.
	MaxLifetime time.Duration
	// Keys are the keys of this issuer and of no other. Required.
	Keys Keys
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
}

// Verifier verifies the tokens of one issuer for one service. It is safe for concurrent
// use, does no I/O and keeps no state between calls.
type Verifier struct {
	config VerifierConfig
}

// NewVerifier returns a verifier, or an error that says what is wrong with the
// configuration.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	config.Audience = slices.Clone(config.Audience)
	if config.Type == "" {
		config.Type = TypeAccessToken
	}
	config.Type = trimType(config.Type)
	if config.Now == nil {
		config.Now = time.Now
	}
	switch {
	case config.Issuer == "":
		return nil, errors.New("jwt: a verifier needs an issuer")
	case config.AnyAudience && len(config.Audience) > 0:
		return nil, errors.New("jwt: a verifier with AnyAudience must not have an Audience")
	case !config.AnyAudience && len(config.Audience) == 0, slices.Contains(config.Audience, ""):
		return nil, errors.New("jwt: a verifier needs an audience, and none may be empty")
	case config.Keys == nil:
		return nil, errors.New("jwt: a verifier needs keys")
	case !validType(config.Type):
		return nil, errors.New("jwt: the type of a verifier is not 1 to 128 printable ASCII characters")
	case config.Leeway < 0 || config.Leeway > MaxLeeway:
		return nil, fmt.Errorf("jwt: the leeway of a verifier is %s, not 0 to %s", config.Leeway, MaxLeeway)
	case config.MaxLifetime < 0:
		return nil, errors.New("jwt: the maximum lifetime of a verifier is negative")
	}
	return &Verifier{config: config}, nil
}

// Verify returns the claims of a token that is well-formed, has the right type, is signed
// by one of the keys, comes from the issuer, is for the audience, and is valid now. It
// does not know whether the token was revoked. The error wraps one of this package's
// sentinels. It is [ErrExpired] only for a token that the issuer signed for the audience.
func (v *Verifier) Verify(token string) (*Claims, error) {
	_, payload, err := verifyJWS(token, v.config.Keys, v.config.Type, MaxTokenSize)
	if err != nil {
		return nil, err
	}
	claims, err := decodeClaims(payload)
	if err != nil {
		return nil, err
	}
	if err := v.accept(claims); err != nil {
		return nil, err
	}
	return claims, nil
}

// SignedClaims returns the claims of an access token that one of the keys has signed, whatever they say: the
// token may have expired, or be for another audience or of an earlier issuer URL. It is for ending what a
// token stands for, which any copy of it may do however old it is. It never shows that a token is good: for
// that use [Verifier.Verify].
func SignedClaims(token string, keys Keys) (*Claims, error) {
	_, payload, err := verifyJWS(token, keys, TypeAccessToken, MaxTokenSize)
	if err != nil {
		return nil, err
	}
	return decodeClaims(payload)
}

// accept checks well-formed claims against the configuration.
func (v *Verifier) accept(c *Claims) error {
	if err := c.checkRequired(); err != nil {
		return err
	}
	if strings.EqualFold(v.config.Type, TypeAccessToken) {
		if err := c.checkIdentity(); err != nil {
			return err
		}
	}
	if c.Issuer != v.config.Issuer {
		return ErrIssuer
	}
	if !v.config.AnyAudience && !slices.ContainsFunc(c.Audience, v.isAudience) {
		return ErrAudience
	}
	return v.acceptTime(c)
}

func (v *Verifier) isAudience(name string) bool { return slices.Contains(v.config.Audience, name) }

// acceptTime checks the expiry first: it is the only fault here that a client can correct,
// by a refresh.
func (v *Verifier) acceptTime(c *Claims) error {
	now := v.config.Now()
	latest := now.Add(v.config.Leeway)
	lifetime := c.Expiry.Sub(c.IssuedAt)
	switch {
	case !now.Before(c.Expiry.Add(v.config.Leeway)):
		return ErrExpired
	case c.NotBefore.After(latest):
		return ErrNotYetValid
	case lifetime <= 0, v.config.MaxLifetime > 0 && lifetime > v.config.MaxLifetime:
		return ErrLifetime
	case c.IssuedAt.After(latest):
		return ErrIssuedAt
	}
	return nil
}
