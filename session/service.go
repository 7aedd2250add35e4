package session

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
	"issuer.example/session/refresh"
)

// Signer mints access tokens with the key that is active at the moment.
type Signer interface {
	Mint(claims *jwt.Claims) (string, error)
}

// Observer counts what the journal of facts does not record. Its method must not block.
type Observer interface {
	// Refreshed is called for each refresh that reached the store, with one of [Outcomes].
	Refreshed(outcome string)
}

// Config is what a [Service] needs.
type Config struct {
	Store       Store         // required
	Signer      Signer        // required
	Keys        jwt.Keys      // required: the keys that our own access tokens are verified with
	RefreshKeys []refresh.Key // required: the first seals, all open

	Issuer         string        // `iss`; required
	Audience       []string      // `aud` where a mint names none; required
	AccessLifetime time.Duration // required
	Leeway         time.Duration // for differing clocks when our own tokens are verified; at most 60 s

	IdleTimeout     time.Duration // required
	AbsoluteTimeout time.Duration // required
	FreshAge        time.Duration // how long an authentication is fresh
	History         time.Duration // how long an ended session stays readable
	Refresh         refresh.Policy
	MaxPerUser      int         // live sessions a user may have; 0 is no limit
	OnLimit         LimitPolicy // "" is LimitEvictOldest
	Binding         BindingPolicy

	// RevokeAllRequiresFresh asks a user who signs out everywhere for a fresh
	// authentication.
	RevokeAllRequiresFresh bool

	Observer Observer         // nil: none
	Logger   *slog.Logger     // nil: slog.Default
	Now      func() time.Time // nil: time.Now
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	cfg  Config
	ring *refresh.Keyring

	// ownVerifier takes access tokens that are meant for the issuer itself, anyVerifier
	// those for any audience.
	ownVerifier, anyVerifier *jwt.Verifier

	sweepNow chan struct{} // wakes Run

	// issued is the latest time, in milliseconds, that a token was dated with. A clock that
	// steps back leaves it ahead, and what revokes those tokens must outlive them.
	issued atomic.Int64

	restored atomic.Bool // a refresh token was newer than the store
}

// New returns a service, or says what its configuration lacks.
func New(cfg Config) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observer == nil {
		cfg.Observer = noObserver{}
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	cfg.OnLimit = cmp.Or(cfg.OnLimit, LimitEvictOldest)
	ring, err := refresh.NewKeyring(cfg.RefreshKeys)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	verifier := jwt.VerifierConfig{
		Issuer: cfg.Issuer, Audience: cfg.Audience, Keys: cfg.Keys, Leeway: cfg.Leeway, Now: cfg.Now,
	}
	own, err := jwt.NewVerifier(verifier)
	if err != nil {
		return nil, err
	}
	verifier.Audience, verifier.AnyAudience = nil, true
	anyone, err := jwt.NewVerifier(verifier)
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: cfg, ring: ring, ownVerifier: own, anyVerifier: anyone, sweepNow: make(chan struct{}, 1),
	}, nil
}

func (c *Config) check() error {
	switch {
	case c.Store == nil, c.Signer == nil, c.Keys == nil:
		return errors.New("session: Store, Signer and Keys are required")
	case c.AccessLifetime <= 0, c.IdleTimeout <= 0, c.AbsoluteTimeout <= 0:
		return errors.New("session: AccessLifetime, IdleTimeout and AbsoluteTimeout must be positive")
	}
	return nil
}

// UseRefreshKeys replaces Config.RefreshKeys: from now on tokens and codes are sealed and opened
// with the keys of that keyring.
func (s *Service) UseRefreshKeys(ring *refresh.Keyring) { s.ring.Adopt(ring) }

// FreshAge is how long an authentication is fresh: the `max_age` of a step-up challenge
// (RFC 9470 §3).
func (s *Service) FreshAge() time.Duration { return s.cfg.FreshAge }

type noObserver struct{}

func (noObserver) Refreshed(string) {}
