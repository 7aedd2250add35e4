package handlers

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"issuer.example/client"
	"issuer.example/handlers/account"
	"issuer.example/handlers/admin"
	"issuer.example/handlers/betterauth"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/oauth"
	"issuer.example/handlers/revocations"
	v1 "issuer.example/handlers/v1"
	"issuer.example/handlers/wellknown"
)

// openAPI describes every route and answer of the interface.
//
//go:embed openapi.yaml
var openAPI []byte

// Server answers HTTP requests. It is safe for concurrent use and owns no goroutine.
type Server struct{ current atomic.Pointer[listeners] }

// listeners answer the requests of one configuration. They are immutable.
type listeners struct {
	public, admin *exchange.Listener
	auth          *credential.Authenticator
}

// New makes a Server. It fails with [ErrConfig].
func New(cfg Config) (*Server, error) {
	first, err := newListeners(cfg, nil)
	if err != nil {
		return nil, err
	}
	s := &Server{}
	s.current.Store(first)
	return s, nil
}

// Prepare makes ready what answers requests by another configuration. Nothing changes until
// commit is called, which cannot fail: requests that come later are answered by that
// configuration, and those that are under way by the one before. It fails with [ErrConfig].
// Two calls must not overlap.
func (s *Server) Prepare(cfg Config) (commit func(), err error) {
	next, err := newListeners(cfg, s.current.Load())
	if err != nil {
		return nil, err
	}
	return func() { s.current.Store(next) }, nil
}

// newListeners makes the listeners of a configuration. They continue the work of others, unless
// those are nil.
func newListeners(cfg Config, of *listeners) (*listeners, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	auth, err := newAuthenticator(&cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if of != nil {
		auth.Continue(of.auth)
	}
	pages, err := account.New(cfg.Sessions, auth, exchange.BasePath(cfg.Issuer))
	if err != nil {
		return nil, err
	}
	documents := wellknown.New(wellknown.Config{
		Keys: cfg.Keys, Issuer: cfg.Issuer, Feed: cfg.Feed != nil, OpenAPI: openAPI, Checks: cfg.Checks, Logger: cfg.Logger,
	})
	better := betterauth.New(betterauth.Config{
		Sessions: cfg.Sessions, Keys: cfg.Keys, Auth: auth, Issuer: cfg.Issuer, Options: cfg.BetterAuth, Now: cfg.Now,
	})
	feed := revocations.New(revocations.Config{
		Feed: cfg.Feed, Keys: cfg.Keys, Auth: auth, FrameTimeout: cfg.frameTimeout, Logger: cfg.Logger,
	})
	operators := admin.New(admin.Config{
		Sessions: cfg.Sessions, Keys: cfg.Keys, Auth: auth, Feed: cfg.Feed, Metrics: cfg.Metrics, Backup: cfg.Backup,
		Facts: cfg.Facts, Reload: cfg.Reload, Now: cfg.Now,
	})
	public := listenerConfig(&cfg)
	public.Public, public.ShareAcrossOrigins = true, auth.Origins.Share
	public.Areas = []exchange.Area{better.Area()}
	return &listeners{
		auth: auth,
		public: exchange.NewListener(public, slices.Concat(
			documents.Routes(), v1.New(cfg.Sessions, auth, cfg.Now).Routes(), better.Routes(),
			oauth.New(cfg.Sessions, auth, cfg.Issuer).Routes(), feed.Routes(), pages.Routes(),
		)),
		admin: exchange.NewListener(listenerConfig(&cfg), slices.Concat(documents.HealthRoutes(), operators.Routes())),
	}, nil
}

// Public is the handler of the public listener.
func (s *Server) Public() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current.Load().public.ServeHTTP(w, r) })
}

// Admin is the handler of the admin listener. It must not be reachable by everyone.
func (s *Server) Admin() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current.Load().admin.ServeHTTP(w, r) })
}

func newAuthenticator(cfg *Config) (*credential.Authenticator, error) {
	clients, err := client.NewRegistry(cfg.ServiceKeys)
	if err != nil {
		return nil, err
	}
	return credential.New(credential.Config{
		Sessions: cfg.Sessions, Clients: clients, Issuer: cfg.Issuer,
		Cookies: cfg.Cookies, AllowedOrigins: cfg.AllowedOrigins, Logger: cfg.Logger, Now: cfg.Now,
	})
}

// listenerConfig is what both listeners have in common.
func listenerConfig(cfg *Config) exchange.Config {
	return exchange.Config{
		Issuer: cfg.Issuer, Hosts: cfg.Hosts, Proxies: cfg.TrustedProxies, FreshAge: cfg.Sessions.FreshAge(),
		Observer: cfg.Observer, Logger: cfg.Logger, Now: cfg.Now,
	}
}
