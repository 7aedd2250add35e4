package server

import (
	"context"
	"fmt"
	"net/netip"

	"issuer.example/client"
	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/fact"
	"issuer.example/feed"
	"issuer.example/handlers"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/metrics"
	"issuer.example/secret"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/store"
)

// parts are the components of the issuer.
type parts struct {
	metrics  *metrics.Metrics
	facts    *fact.Follower
	store    store.Backend
	backup   backupFunc // nil: the store has none of its own
	keys     *keys.Manager
	sessions *session.Service
	feed     *feed.Hub
	handlers *handlers.Server
}

// background returns the work that runs beside the requests, by name.
func (p *parts) background() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"rotating the signing keys": p.keys.Run,
		"sweeping ended sessions":   p.sessions.Run,
		"following the revocations": p.feed.Run,
		"following the facts":       p.facts.Run,
	}
}

// openParts opens the store and creates the other parts. When it returns an error, the store
// is closed.
func openParts(ctx context.Context, cfg Config, secrets []secret.Secret, reload reloadFunc) (_ *parts, err error) {
	p := &parts{}
	p.metrics = metrics.New(metrics.Config{
		// Called at each scrape, when all parts exist.
		Live:       func() int64 { return p.store.Live() },
		Keys:       func() []keys.Key { return p.keys.List() },
		Streams:    func() int { return p.feed.Readers() },
		LogDropped: cfg.LogDropped,
		Now:        cfg.Now,
	})
	if p.store, p.backup, err = openStore(ctx, cfg, p.metrics.Committed); err != nil {
		return nil, err
	}
	if err := p.build(ctx, cfg, secrets, reload); err != nil {
		_ = p.store.Close() // the returned error is the cause
		return nil, err
	}
	return p, nil
}

// reloadFunc reads the configuration anew.
type reloadFunc func(context.Context) (handlers.Reloaded, error)

// build creates the parts above the store.
func (p *parts) build(ctx context.Context, cfg Config, secrets []secret.Secret, reload reloadFunc) (err error) {
	if p.keys, err = keys.Open(ctx, keysConfig(cfg, p.store, secrets)); err != nil {
		return err
	}
	if p.facts, err = fact.Follow(ctx, fact.FollowConfig{
		Journal: p.store, Consumers: []fact.Consumer{p.metrics, keyChanges{p.keys}}, Logger: cfg.Logger,
	}); err != nil {
		return err
	}
	p.keys.Wake() // for a change since they were loaded
	if p.sessions, err = session.New(p.sessionConfig(cfg, secrets)); err != nil {
		return fmt.Errorf("starting sessions: %w", err)
	}
	if p.feed, err = feed.New(p.feedConfig(cfg)); err != nil {
		return fmt.Errorf("starting the revocation feed: %w", err)
	}
	h, err := p.handlersConfig(cfg, secrets)
	if err != nil {
		return err
	}
	h.Reload = reload
	if p.handlers, err = handlers.New(h); err != nil {
		return fmt.Errorf("starting HTTP: %w", err)
	}
	return nil
}

func loadSecrets(paths []string) ([]secret.Secret, error) {
	secrets := make([]secret.Secret, len(paths))
	for i, path := range paths {
		var err error
		if secrets[i], err = secret.Load(path); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

func keysConfig(cfg Config, store keys.Store, secrets []secret.Secret) keys.Config {
	c := cfg.Settings
	return keys.Config{
		Store: store, Secrets: secrets,
		Algorithm:   jwt.Algorithm(c.AccessToken.Algorithm),
		RotateEvery: c.Keys.RotateEvery, PublishBefore: c.Keys.PublishBefore,
		AccessLifetime: c.AccessToken.Lifetime, Leeway: config.MaxLeeway,
		Now: cfg.Now, Logger: cfg.Logger,
	}
}

// refreshKeys derives the keys of refresh tokens.
func refreshKeys(secrets []secret.Secret) []refresh.Key {
	list := make([]refresh.Key, len(secrets))
	for i, s := range secrets {
		list[i] = refresh.Key{ID: s.ID(), Key: s.Derive("refresh token")}
	}
	return list
}

func (p *parts) sessionConfig(cfg Config, secrets []secret.Secret) session.Config {
	c := cfg.Settings
	return session.Config{
		Store: p.store, Signer: p.keys, Keys: p.keys, RefreshKeys: refreshKeys(secrets),
		Issuer: c.Issuer, Audience: c.Audience(),
		AccessLifetime: c.AccessToken.Lifetime, Leeway: c.AccessToken.Leeway,
		IdleTimeout: c.Session.IdleTimeout, AbsoluteTimeout: c.Session.AbsoluteTimeout,
		FreshAge: c.Session.FreshAge, History: c.Session.History,
		Refresh: refresh.Policy{
			Window: c.Refresh.ConcurrencyWindow, LateRetry: refresh.LateRetry(c.Refresh.LateRetry),
			UpdateAge: c.Session.UpdateAge,
		},
		MaxPerUser: c.Session.MaxPerUser, OnLimit: session.LimitPolicy(c.Session.OnLimit),
		Binding: session.BindingPolicy{
			IP: session.BindingMode(c.Binding.IP), UserAgent: session.BindingMode(c.Binding.UserAgent),
		},
		RevokeAllRequiresFresh: c.Session.RevokeAllRequiresFresh,
		Observer:               p.metrics, Logger: cfg.Logger, Now: cfg.Now,
	}
}

func (p *parts) feedConfig(cfg Config) feed.Config {
	c := cfg.Settings
	return feed.Config{
		Issuer: c.Issuer, Log: p.store, Signer: p.keys, Board: boardOf(p.store),
		MaxReaders: feedStreams(c), MaxReadersPerKey: c.Limits.FeedStreamsPerKey,
		Observer: p.metrics, Logger: cfg.Logger, Now: cfg.Now,
	}
}

// boardOf returns where the issuers on a store show each other their verifiers; nil if one issuer at a time has
// the store.
func boardOf(store store.Backend) feed.Board {
	board, _ := store.(feed.Board)
	return board
}

// feedStreams is how many streams of the feed may be open at once.
func feedStreams(c *config.Config) int {
	if c.Limits.FeedStreams > 0 {
		return c.Limits.FeedStreams
	}
	return max(c.Limits.Connections/2, 1)
}

func (p *parts) handlersConfig(cfg Config, secrets []secret.Secret) (handlers.Config, error) {
	c := cfg.Settings
	h := handlers.Config{
		Sessions: p.sessions, Keys: p.keys, Feed: p.feed, Issuer: c.Issuer,
		Cookies: handlers.Cookies{
			Prefix: c.Cookies.Prefix, Secure: c.Cookies.Secure,
			Domain: c.Cookies.Domain, SameSite: c.Cookies.SameSite, CacheMaxAge: c.Cookies.CacheMaxAge,
			Secrets: secrets,
		},
		BetterAuth: handlers.BetterAuth{
			BasePath: c.BetterAuth.BasePath, ListRequiresFresh: c.BetterAuth.ListRequiresFresh,
		},
		AllowedOrigins: c.CORS.AllowedOrigins, Hosts: c.Hosts,
		Checks:  []handlers.Check{{Name: "store", Err: p.store.Healthy}},
		Backup:  p.backup,
		Facts:   p.store,
		Metrics: p.metrics.Handler(), Observer: p.metrics,
		Logger: cfg.Logger, Now: cfg.Now,
	}
	var err error
	if h.TrustedProxies, err = trustedProxies(c.TrustedProxies); err != nil {
		return h, err
	}
	h.ServiceKeys, err = serviceKeys(c.ServiceKeys)
	return h, err
}

// trustedProxies parses the addresses and blocks of trusted_proxies.
func trustedProxies(texts []string) ([]netip.Prefix, error) {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = config.ParseProxy(text); err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
	}
	return list, nil
}

// serviceKeys parses the hashes and scopes of service_keys.
func serviceKeys(settings []config.ServiceKey) ([]client.Key, error) {
	list := make([]client.Key, len(settings))
	for i, k := range settings {
		key, err := k.Key()
		if err != nil {
			return nil, fmt.Errorf("service_keys: %s: %w", k.Name, err)
		}
		list[i] = key
	}
	return list, nil
}
