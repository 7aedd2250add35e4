package handlers

import (
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

	"issuer.example/client"
	"issuer.example/fact"
	"issuer.example/feed"
	"issuer.example/handlers/admin"
	"issuer.example/handlers/betterauth"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/wellknown"
	"issuer.example/keys"
	"issuer.example/session"
)

// ErrConfig is returned by [New] for a [Config] that cannot work.
var ErrConfig = errors.New("handlers: invalid configuration")

// Config is what the HTTP interface is made of.
type Config struct {
	Sessions *session.Service // required
	Keys     *keys.Manager    // required
	// Issuer is the `iss` of tokens and the base of every published URL, without a
	// trailing slash. Required.
	Issuer string

	// ServiceKeys may call the routes for backends, verifiers and operators. None: those
	// answer 401.
	ServiceKeys []client.Key
	Cookies     Cookies
	BetterAuth  BetterAuth
	// AllowedOrigins are the origins, besides the issuer's own, whose pages may call with
	// credentials: exact, as "https://app.example" or "capacitor://localhost", or
	// "https://*.suffix", where * is one label. None: no other.
	AllowedOrigins []string
	// TrustedProxies may name their client (X-Forwarded-For), the host that it called (Host)
	// and the request's id (X-Request-Id). None: no proxy is trusted.
	TrustedProxies []netip.Prefix
	// Hosts are further names under which the issuer is called, without port. These need no
	// mention: the host of Issuer, addresses, and names that cannot be registered in the public
	// DNS (localhost, a name without a dot, and below .localhost, .local, .internal, .svc,
	// .cluster.local and .home.arpa). A trusted proxy may pass on any name.
	Hosts []string

	// Feed is the revocation feed. Nil: its routes answer 404.
	Feed *feed.Hub

	// Checks are what /readyz asks, besides the signing keys.
	Checks []Check
	// Backup writes a consistent copy of the store. Nil: the store is a database, and the route answers 404.
	Backup func(ctx context.Context, w io.Writer) error
	// Facts records what administrators do that changes nothing else. Nil: nothing is recorded.
	Facts fact.Recorder
	// Reload reads the configuration anew. An error that wraps [ErrNotReloaded] is shown to the
	// caller. Nil: the route answers 404.
	Reload func(ctx context.Context) (Reloaded, error)
	// Metrics answers GET /metrics of the admin listener. Nil: 404.
	Metrics http.Handler
	// Observer is called for every request. Nil: no observer.
	Observer Observer

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now

	frameTimeout time.Duration // of the stream of revocations; 0: the default
}

// Parts of the configuration that belong to the packages beneath.
type (
	// Cookies says how tokens travel in cookies.
	Cookies = credential.Cookies
	// BetterAuth configures the routes of the better-auth client.
	BetterAuth = betterauth.Options
	// Check is a part that must work before the issuer is ready.
	Check = wellknown.Check
	// Observer is called for requests, for metrics.
	Observer = exchange.Observer
	// Reloaded is what a reload did.
	Reloaded = admin.Reloaded
)

// ErrNotReloaded means that a configuration was not adopted, because something in it is wrong.
var ErrNotReloaded = admin.ErrNotReloaded

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	c.Issuer = strings.TrimSuffix(c.Issuer, "/")
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

type noObserver struct{}

// Route observes nothing.
func (noObserver) Route(string, string) func(int, time.Duration) {
	return func(int, time.Duration) {}
}
