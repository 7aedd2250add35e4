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
	config      Config
	verifier    *jwt.Verifier
	keys        *keyring
	revocations *revocations
	cache       *cache
	introspect  *introspector
	origins     *origins
	state       *stateKeeper
	stats       counters

	stop context.CancelFunc // ends the background work
	work sync.WaitGroup
}

// New returns a guard that follows the issuer's feed. It tries once to fetch the issuer's
// metadata, keys and list of revoked sessions. If the issuer is in trouble, or ctx reaches
// its deadline before, the guard is stale at first, unless [Config].StateFile has a recent
// list, and continues in the background: [Guard.Stats] says what was wrong. While it has no
// keys it refuses all tokens with [ErrStale].
//
// The error wraps [ErrConfig], [ErrDiscovery] (the metadata is of another issuer) or
// [ErrStatus] (the issuer does not accept the service key), says that the file with the
// service key cannot be read, or is [context.Canceled]. Trying again does not help against
// the first two. The guard does not use ctx after New has returned.
func New(ctx context.Context, config Config) (*Guard, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	config.Logger = config.Logger.With("component", "guard")
	g := &Guard{config: config, cache: newCache(config.CacheEntries)}
	g.revocations = newRevocations(config.Issuer, config.MaxStaleness)
	if g.origins, err = newOrigins(config.TrustedOrigins); err != nil {
		return nil, err
	}
	f := g.newFollower()
	g.config.ServiceKey = "" // only the client needs it
	if err := g.newVerifier(); err != nil {
		g.stop()
		return nil, err
	}
	f.state.load(f)
	if err := g.start(ctx, f); err != nil {
		_ = g.Close()
		return nil, err
	}
	return g, nil
}

// newFollower makes the parts that know the issuer.
func (g *Guard) newFollower() *follower {
	background, stop := context.WithCancel(context.Background())
	c := newClient(g.config)
	d := newDiscovery(c, g.config)
	g.stop, g.introspect = stop, newIntrospector(c, d)
	g.state = newStateKeeper(g.config)
	g.keys = &keyring{
		client: c, discovery: d, state: g.state, now: g.config.Now, logger: g.config.Logger, stats: &g.stats,
		background: background, work: &g.work, fetched: make(chan struct{}, 1),
	}
	g.keys.current.Store(none)
	return &follower{
		client: c, discovery: d, keys: g.keys, revocations: g.revocations, state: g.state, stats: &g.stats,
		report: newReporter(c, d, g.config.Name), name: g.config.Name,
		now: g.config.Now, logger: g.config.Logger, maxStaleness: g.config.MaxStaleness,
	}
}

func (g *Guard) newVerifier() (err error) {
	g.verifier, err = jwt.NewVerifier(jwt.VerifierConfig{
		Issuer: g.config.Issuer, Audience: g.config.Audience, Leeway: g.config.Leeway,
		MaxLifetime: maxLifetime, Keys: g.keys, Now: g.config.Now,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// start fetches the keys and the list once, and keeps both up to date from then on.
func (g *Guard) start(ctx context.Context, f *follower) error {
	snapshots := newSnapshots(f)
	if err := g.fetchAll(ctx, f, snapshots); err != nil {
		if isMisconfigured(err) {
			return err
		}
		f.recordFault(fmt.Errorf("starting without the issuer: %w", err))
	}
	stream := &stream{follower: f, snapshots: snapshots}
	background := g.keys.background
	for _, run := range [...]func(context.Context){snapshots.run, stream.run, g.keys.run, f.report.run, g.state.run} {
		g.work.Go(func() { run(background) })
	}
	return nil
}

// fetchAll fetches the issuer's metadata, the keys and the list, in this order.
func (g *Guard) fetchAll(ctx context.Context, f *follower, snapshots *snapshots) error {
	urls, err := f.discovery.endpoints(ctx)
	if err != nil {
		return err
	}
	if g.config.Stale == Introspect && urls.introspection == "" {
		return fmt.Errorf("%w: Stale is Introspect, but the issuer has no introspection endpoint", ErrConfig)
	}
	if err := g.keys.first(ctx); err != nil {
		return fmt.Errorf("fetching the issuer's keys: %w", err)
	}
	if err := snapshots.take(ctx); err != nil {
		return err
	}
	g.keys.waitForFetches(ctx) // the list may have caused one
	return nil
}

// String returns the names of the verifier and the issuer.
func (g *Guard) String() string { return g.config.String() }

// GoString returns the same as [Guard.String].
func (g *Guard) GoString() string { return g.String() }

// Close ends the connection to the issuer and waits for the background work. From then on
// the list grows stale, and after [Config].MaxStaleness the guard applies its policy. Close
// may be called again. Its error is always nil.
func (g *Guard) Close() error {
	g.keys.close(g.stop)
	g.work.Wait()
	g.state.save()
	return nil
}

// Verify returns the claims of an access token if the issuer signed it for this service, it
// is within its lifetime, its session is not revoked, and it meets the requirements. The
// caller may change the claims, but not what their maps and slices hold, which is shared.
// The error wraps a sentinel of this package or of package jwt; [Cause] names it.
//
// Verify waits for the network only if the key id of the token is unknown, which causes at
// most one request in 10 s for all tokens together, or if the list is stale and the policy
// is [Introspect]. ctx bounds the wait. While the list is stale and the policy is not
// [FailOpen], and while the guard has no keys, a token of an unknown key is refused with
// [ErrStale]: the issuer may have published the key meanwhile.
func (g *Guard) Verify(ctx context.Context, token string, requirements ...Requirement) (*jwt.Claims, error) {
	claims, err := g.verify(ctx, token, requirements)
	if err != nil {
		g.stats.refused.Add(1)
	}
	return claims, err
}

func (g *Guard) verify(ctx context.Context, token string, requirements []Requirement) (*jwt.Claims, error) {
	now := g.config.Now()
	policy := policyOf(requirements, g.config.Stale)
	v, err := g.authenticate(ctx, token, now)
	if isUnknownKey(err) && (g.keys.empty() || policy != FailOpen && !g.revocations.fresh(now)) {
		err = fmt.Errorf("%w: %w", ErrStale, err) // the issuer may have published the key meanwhile
	}
	if err != nil {
		return nil, err
	}
	if g.revocations.set.Revoked(v.session, v.claims.Subject, v.claims.ClientID) {
		return nil, ErrRevoked
	}
	if !g.revocations.fresh(now) {
		if err := g.applyPolicy(ctx, token, v, policy); err != nil {
			return nil, err
		}
	}
	for i := range requirements {
		if err := requirements[i].verify(&v.claims, now); err != nil {
			return nil, err
		}
	}
	claims := v.claims
	return &claims, nil
}

// authenticate checks all but revocation and requirements. A token that is in the cache,
// and was verified with the current keys, costs no signature check.
func (g *Guard) authenticate(ctx context.Context, token string, now time.Time) (*verified, error) {
	v, hash := g.cache.get(token)
	if v != nil && v.generation == g.keys.generation() {
		g.stats.hits.Add(1)
		return v, v.checkTimes(now, g.config.Leeway)
	}
	g.stats.misses.Add(1)
	generation := g.keys.generation()
	v, err := g.check(token, generation)
	if isUnknownKey(err) && g.keys.update(ctx, unknownKeyCoolDown, generation) {
		v, err = g.check(token, g.keys.generation())
	}
	if err != nil {
		return nil, err
	}
	g.cache.put(v, hash)
	return v, nil
}

// check verifies a token that is not in the cache. The caller has read the generation
// before: if the keys change meanwhile, the entry of the cache does not count.
func (g *Guard) check(token string, generation uint64) (*verified, error) {
	claims, err := g.verifier.Verify(token)
	if err != nil {
		return nil, err
	}
	session, err := sid.Parse(claims.SessionID)
	if err != nil {
		return nil, fmt.Errorf("%w: sid is missing or not a session id", jwt.ErrClaims)
	}
	claims.Audience, claims.AMR = slices.Clip(claims.Audience), slices.Clip(claims.AMR) // a caller's append copies
	return &verified{token: token, claims: *claims, session: session, generation: generation}, nil
}

// applyPolicy decides about a good token while the list is stale.
func (g *Guard) applyPolicy(ctx context.Context, token string, v *verified, policy Policy) error {
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
