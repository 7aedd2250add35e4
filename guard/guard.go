package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"issuer.example/jwt"
	"issuer.example/sid"
)

// Guard verifies the access tokens of one issuer for one service. It is safe for
// concurrent use. [Guard.Close] ends its background work.
type Guard struct {
	config     Config
	verifier   *jwt.Verifier
	keys       *keyring
	ledger     *ledger
	cache      *cache
	introspect *introspector
	origins    *origins
	stats      counters

	stop context.CancelFunc
	work sync.WaitGroup
}

// New returns a guard that is ready: it has read the issuer's metadata, its keys and its
// list of revoked sessions. It tries once; ctx bounds how long that takes, and has no
// meaning after. An error that wraps [ErrConfig] or [ErrDiscovery] will not go away by
// itself.
func New(ctx context.Context, config Config) (*Guard, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	config.Logger = config.Logger.With("component", "guard")
	g := &Guard{config: config, cache: newCache(config.CacheEntries)}
	g.ledger = newLedger(config.Issuer, config.MaxStaleness)
	if g.origins, err = newOrigins(config.TrustedOrigins); err != nil {
		return nil, err
	}
	c := newClient(config)
	g.config.ServiceKey = "" // only the client needs it
	where, err := discover(ctx, c, config.Issuer)
	if err != nil {
		return nil, err
	}
	if config.Stale == Introspect && where.introspection == "" {
		return nil, fmt.Errorf("%w: Stale is Introspect, and the issuer has no introspection endpoint", ErrConfig)
	}
	g.introspect = newIntrospector(c, where.introspection)

	background, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.keys = &keyring{
		client: c, url: where.jwks, now: config.Now, logger: config.Logger, stats: &g.stats, base: background, work: &g.work,
		ended: make(chan struct{}, 1),
	}
	g.verifier, err = jwt.NewVerifier(jwt.VerifierConfig{
		Issuer: config.Issuer, Audience: config.Audience, Leeway: config.Leeway,
		MaxLifetime: maxLifetime, Keys: g.keys, Now: config.Now,
	})
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := g.start(ctx, background, c, where); err != nil {
		_ = g.Close()
		return nil, err
	}
	return g, nil
}

// start fetches what is needed and starts the background work.
func (g *Guard) start(ctx, background context.Context, c *client, where endpoints) error {
	if err := g.keys.fetch(ctx); err != nil {
		return fmt.Errorf("fetching the issuer's keys: %w", err)
	}
	where.stream += "?verifier=" + g.config.Name // the characters of a name need no escape
	report := newReporter(c, where.applied, g.config.Name)
	f := &feed{
		client: c, where: where, keys: g.keys, ledger: g.ledger, stats: &g.stats, report: report,
		now: g.config.Now, logger: g.config.Logger, idle: g.config.MaxStaleness * 2 / 3,
	}
	if err := f.snapshot(ctx); err != nil {
		return err
	}
	g.keys.settle(ctx) // the list may have said that they have changed meanwhile
	g.work.Go(func() { f.run(background) })
	g.work.Go(func() { g.keys.run(background) })
	g.work.Go(func() { report.run(background) })
	return nil
}

// String names the verifier and the issuer.
func (g *Guard) String() string { return g.config.String() }

// GoString is [Guard.String].
func (g *Guard) GoString() string { return g.String() }

// Close ends the connection to the issuer and waits for the background work. The guard
// learns nothing more: after [Config].MaxStaleness it follows its policy. Close may be
// called again; the error is always nil.
func (g *Guard) Close() error {
	g.keys.close(g.stop)
	g.work.Wait()
	return nil
}

// Verify returns the claims of an access token of the issuer that is for this service, in
// its time, of a session that is not revoked, and meets the requirements. The claims are
// the caller's, but their maps and slices are shared: they are for reading. The error
// wraps a sentinel of this package or of package jwt; [Cause] names it.
//
// It waits for the network only when the token has an unknown key id, at most once in
// 10 s for all of them, or when the policy is [Introspect]; ctx bounds that.
func (g *Guard) Verify(ctx context.Context, token string, requirements ...Requirement) (*jwt.Claims, error) {
	claims, err := g.verify(ctx, token, requirements)
	if err != nil {
		g.stats.refused.Add(1)
	}
	return claims, err
}

func (g *Guard) verify(ctx context.Context, token string, requirements []Requirement) (*jwt.Claims, error) {
	now := g.config.Now()
	v, err := g.authentic(ctx, token, now)
	if err != nil {
		return nil, err
	}
	if g.ledger.set.Revoked(v.session, v.claims.Subject, v.claims.ClientID) {
		return nil, ErrRevoked
	}
	if !g.ledger.fresh(now) {
		if err := g.stale(ctx, token, v, policyOf(requirements, g.config.Stale)); err != nil {
			return nil, err
		}
	}
	for i := range requirements {
		if err := requirements[i].met(&v.claims, now); err != nil {
			return nil, err
		}
	}
	claims := v.claims
	return &claims, nil
}

// authentic returns a token that the issuer signed for this service and that is in its
// time, from the cache if it was seen before with the same keys.
func (g *Guard) authentic(ctx context.Context, token string, now time.Time) (*verified, error) {
	v, hash := g.cache.get(token)
	if v != nil && v.generation == g.keys.number() {
		g.stats.hits.Add(1)
		return v, v.accept(now, g.config.Leeway)
	}
	g.stats.misses.Add(1)
	generation := g.keys.number()
	v, err := g.check(token, generation)
	if unknownKey(err) && g.keys.renew(ctx, keyCoolDown, generation) {
		v, err = g.check(token, g.keys.number())
	}
	if err != nil {
		return nil, err
	}
	g.cache.put(v, hash)
	return v, nil
}

// check verifies a token that was not seen before. The generation was read before: should
// the keys change meanwhile, the token is checked again when it comes back.
func (g *Guard) check(token string, generation uint64) (*verified, error) {
	claims, err := g.verifier.Verify(token)
	if err != nil {
		return nil, err
	}
	session, err := sid.Parse(claims.SessionID)
	if err != nil {
		return nil, fmt.Errorf("%w: sid is missing, or none", jwt.ErrClaims)
	}
	claims.Audience, claims.AMR = slices.Clip(claims.Audience), slices.Clip(claims.AMR) // append then copies
	return &verified{token: token, claims: *claims, session: session, generation: generation}, nil
}

// stale follows the policy for a good token of which it can't be known whether it was
// revoked.
func (g *Guard) stale(ctx context.Context, token string, v *verified, policy Policy) error {
	switch policy {
	case FailOpen:
		g.stats.staleAccepted.Add(1)
		return nil
	case Introspect:
		g.stats.introspected.Add(1)
		err := g.introspect.ask(ctx, token, v)
		if errors.Is(err, ErrStale) {
			g.stats.staleRefused.Add(1)
		}
		return err
	case FailClosed:
	}
	g.stats.staleRefused.Add(1)
	return ErrStale
}
