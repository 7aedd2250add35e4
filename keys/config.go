package keys

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"issuer.example/jwt"
	"issuer.example/secret"
)

// The defaults for zero fields of [Config].
const (
	DefaultAlgorithm      = jwt.ES256
	DefaultRotateEvery    = 30 * 24 * time.Hour
	DefaultPublishBefore  = time.Hour
	DefaultAccessLifetime = 5 * time.Minute
)

const (
	minPublishBefore = 10 * time.Second
	maxDerivedMaxAge = 15 * time.Minute
	maxMargin        = 2 * time.Minute
	maxLeeway        = time.Minute
)

// Config configures [Open]. Only Store and Secrets have no default. All managers on one
// store should have the same configuration; while a change of it is rolled out they may
// differ.
type Config struct {
	// Store holds the keys. Several managers may share one.
	Store Store
	// Secrets encrypt the stored keys: the first one seals, and each of them opens. To
	// change the secret of several issuers, first add the new one after the old one
	// everywhere, then move it to the front everywhere, then remove the old one.
	Secrets []secret.Secret
	// Algorithm is the algorithm of new keys: [DefaultAlgorithm] when empty. When it
	// differs from the active key's, the schedule starts a rotation at once.
	Algorithm jwt.Algorithm
	// RotateEvery is how long a key signs: [DefaultRotateEvery] when zero. It is
	// at least twice PublishBefore.
	RotateEvery time.Duration
	// PublishBefore is how long a key is published before it signs:
	// [DefaultPublishBefore] when zero, and at least 10 s.
	PublishBefore time.Duration
	// MaxAge is the max-age of the JWKS, in whole seconds. When zero it is
	// PublishBefore/4, at most 15 minutes. PublishBefore must exceed it by a margin
	// for clock skew and for the other issuers: PublishBefore/10, at most 2 minutes.
	MaxAge time.Duration
	// AccessLifetime is the maximum lifetime of a token: [DefaultAccessLifetime] when
	// zero.
	AccessLifetime time.Duration
	// Leeway is how long after its expiry verifiers may accept a token: 0 to 1 minute.
	Leeway time.Duration
	// Now is the clock: [time.Now] when nil.
	Now func() time.Time
	// Logger gets a record for each change of a key. Nothing is logged when it is nil.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Secrets = slices.Clone(c.Secrets)
	if c.Algorithm == "" {
		c.Algorithm = DefaultAlgorithm
	}
	if c.RotateEvery == 0 {
		c.RotateEvery = DefaultRotateEvery
	}
	if c.PublishBefore == 0 {
		c.PublishBefore = DefaultPublishBefore
	}
	if c.MaxAge == 0 {
		c.MaxAge = min(c.PublishBefore/4, maxDerivedMaxAge).Truncate(time.Second)
	}
	if c.AccessLifetime == 0 {
		c.AccessLifetime = DefaultAccessLifetime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns all faults, joined.
func (c Config) check() error {
	faults := []error{c.checkParts()}
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
		}
	}
	fault(c.PublishBefore < minPublishBefore, "publish_before is %v, at least %v is needed", c.PublishBefore, minPublishBefore)
	fault(c.RotateEvery < 2*c.PublishBefore, "rotate_every (%v) must be at least twice publish_before (%v)", c.RotateEvery, c.PublishBefore)
	fault(c.MaxAge < time.Second || c.MaxAge%time.Second != 0, "the JWKS max-age (%v) must be a positive number of whole seconds", c.MaxAge)
	fault(c.MaxAge+c.margin() > c.PublishBefore, "publish_before (%v) must be at least the JWKS max-age (%v) plus %v", c.PublishBefore, c.MaxAge, c.margin())
	fault(c.AccessLifetime < 0, "the access token lifetime (%v) is negative", c.AccessLifetime)
	fault(c.Leeway < 0 || c.Leeway > maxLeeway, "leeway is %v, not between 0 and %v", c.Leeway, maxLeeway)
	return errors.Join(faults...)
}

func (c Config) checkParts() error {
	switch {
	case c.Store == nil:
		return fmt.Errorf("%w: no store", ErrConfig)
	case len(c.Secrets) == 0:
		return fmt.Errorf("%w: no secret", ErrConfig)
	case slices.ContainsFunc(c.Secrets, secret.Secret.IsZero):
		return fmt.Errorf("%w: an empty secret", ErrConfig)
	case !slices.Contains([]jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256}, c.Algorithm):
		return fmt.Errorf("%w: unknown algorithm %q", ErrConfig, c.Algorithm)
	}
	return nil
}

// margin is added to every guarantee about time, for clock skew and for other issuers
// that have not read the store yet.
func (c Config) margin() time.Duration { return min(c.PublishBefore/10, maxMargin) }

// stepEvery is the interval at which [Manager.Run] reads the store: a part of the margin.
func (c Config) stepEvery() time.Duration { return c.margin() / 4 }

// freshFor is the age up to which a snapshot of the store may be used to sign. The other
// half of the margin is left for clock skew.
func (c Config) freshFor() time.Duration { return c.margin() / 2 }
