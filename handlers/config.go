package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"issuer.example/feed"
	"issuer.example/keys"
	"issuer.example/session"
)

// ErrConfig is returned by [New] for a [Config] that cannot work.
var ErrConfig = errors.New("handlers: unusable configuration")

// Config is what the HTTP interface is made of.
type Config struct {
	Sessions *session.Service // required
	Keys     *keys.Manager    // required
	// Issuer is the `iss` of tokens and the base of every published URL, without a
	// trailing slash. Required.
	Issuer string

	// ServiceKeys may call the service and admin routes. None: those answer 401.
	ServiceKeys []ServiceKey
	Cookies     Cookies
	BetterAuth  BetterAuth
	// AllowedOrigins are the origins, besides the issuer's own, whose pages may call
	// with credentials: exact, as "https://app.example". None: no other.
	AllowedOrigins []string
	// TrustedProxies may say who their client is (X-Forwarded-For), which name it
	// called (Host) and the request's id (X-Request-Id). None: nobody may.
	TrustedProxies []netip.Prefix
	// Hosts are further names under which the issuer is called, without port; see
	// [Server] for those that need no mention.
	Hosts []string

	// Feed tells verifiers what is revoked. Nil: its routes answer 404.
	Feed *feed.Hub

	// Checks are what /readyz asks, besides the signing keys.
	Checks []Check
	// Backup writes a consistent copy of the store. Nil: the route answers 404.
	Backup func(ctx context.Context, w io.Writer) error
	// Metrics answers GET /metrics of the admin listener. Nil: 404.
	Metrics http.Handler
	// Observer hears of every request. Nil: nobody does.
	Observer Observer

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now
}

// ServiceKey is a caller of the service and admin routes.
type ServiceKey struct {
	// Name is the `client_id` of the sessions that it mints.
	Name string
	// SHA256 is the hash of the whole key text. The key itself is nowhere.
	SHA256 [32]byte
	// Scopes are what it may do: the Scope constants.
	Scopes []string
}

// The scopes of service keys.
const (
	ScopeMint            = "sessions:mint"
	ScopeRead            = "sessions:read"
	ScopeRevoke          = "sessions:revoke"
	ScopeReadRevocations = "revocations:read"
	ScopeIntrospect      = "tokens:introspect"
	ScopeAdmin           = "admin"
)

// Check is one part that must work before the issuer is ready.
type Check struct {
	Name string
	// Err is nil while the part works. It must answer at once. Its text is logged, and
	// never shown to whoever asks.
	Err func() error
}

// Observer hears of requests, for metrics.
type Observer interface {
	// Route is asked once for each route. The function that it returns is called after
	// each request of it, and must not block. Requests without a route have the
	// pattern "" and the method "".
	Route(method, pattern string) func(status int, took time.Duration)
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observer == nil {
		c.Observer = unobserved{}
	}
	c.Issuer = strings.TrimSuffix(c.Issuer, "/")
	c.BetterAuth.BasePath = cmp.Or(c.BetterAuth.BasePath, "/api/auth")
}

func (c *Config) check() error {
	if c.Sessions == nil || c.Keys == nil {
		return fmt.Errorf("%w: sessions and keys are required", ErrConfig)
	}
	if u, err := url.Parse(c.Issuer); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%w: the issuer must be an http or https URL", ErrConfig)
	}
	return nil
}

type unobserved struct{}

// Route observes nothing.
func (unobserved) Route(string, string) func(int, time.Duration) {
	return func(int, time.Duration) {}
}
