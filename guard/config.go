package guard

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"issuer.example/jwt"
)

// Policy is what a guard does with a good token while it can't know whether the token's
// session has been revoked. A session that it knows to be revoked is refused always.
type Policy uint8

// The policies.
const (
	// FailClosed refuses with [ErrStale], which is a 503.
	FailClosed Policy = iota
	// FailOpen accepts, and counts it in [Stats].
	FailOpen
	// Introspect asks the issuer about this token (RFC 7662), and refuses with
	// [ErrStale] if it doesn't answer. The service key needs the scope
	// tokens:introspect.
	Introspect
)

// String is the policy's name in logs.
func (p Policy) String() string {
	switch p {
	case FailClosed:
		return "fail_closed"
	case FailOpen:
		return "fail_open"
	case Introspect:
		return "introspect"
	}
	return "unknown"
}

const (
	defaultLeeway       = 5 * time.Second
	defaultMaxStaleness = 30 * time.Second
	defaultCacheEntries = 10_000
	maxCacheEntries     = 1 << 24
	// maxLifetime is the longest life of an access token that an issuer can be
	// configured for.
	maxLifetime = time.Hour
)

// Config says whom a guard trusts and what it accepts.
type Config struct {
	// Issuer is the issuer's URL, exactly as in iss. It is https, or http on a loopback
	// address. Required.
	Issuer string
	// Audience names the service: at least one of these must be a member of a token's
	// aud, exactly. Required.
	Audience []string
	// ServiceKey is a service key with the scope revocations:read. Required, unless
	// ServiceKeyFile is set.
	ServiceKey string
	// ServiceKeyFile is a file with the service key. It is read for each request to
	// the issuer, so that the key can be replaced while the service runs.
	ServiceKeyFile string
	// Name is what the issuer calls this verifier in its lists: 1 to 64 characters of
	// A-Za-z0-9._-. Empty means the host's name.
	Name string
	// Leeway is how far the clocks of the issuer and of this service may differ when a
	// token is judged, at most [jwt.MaxLeeway]. Zero means 5 s, negative none.
	Leeway time.Duration
	// MaxStaleness is for how long the list counts as complete after the issuer said
	// so, at least 15 s: it says so every 10 s. Zero means 30 s.
	MaxStaleness time.Duration
	// Stale is what happens to good tokens after that. Zero means [FailClosed]. A route
	// may differ: see [WhenStale].
	Stale Policy
	// CacheEntries is how many verified tokens are kept, up to 4 KiB each. Zero means
	// 10,000; negative turns the cache off.
	CacheEntries int
	// Cookie is the full name of a cookie that may hold the token instead of the
	// Authorization header. Empty means that no cookie is read.
	Cookie string
	// TrustedOrigins are origins ("https://app.example.com") whose pages may make
	// requests that change something with the cookie, besides the service's own.
	TrustedOrigins []string
	// HTTPClient makes the requests to the issuer. Its jar, its timeout and its policy
	// of redirects are not used. Nil means one with Go's default transport.
	HTTPClient *http.Client
	// Logger gets what goes wrong with the feed and the keys, without any token. Nil
	// means [slog.Default].
	Logger *slog.Logger
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
}

// String names the issuer and the verifier. Like every other way of printing a Config it
// leaves the service key out.
func (c Config) String() string { return "guard " + c.Name + " of " + c.Issuer }

// GoString is [Config.String].
func (c Config) GoString() string { return c.String() }

// LogValue is [Config.String].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// complete fills in the defaults and reports what is wrong. The error wraps [ErrConfig].
func (c Config) complete() (Config, error) {
	c.Audience = slices.Clone(c.Audience)
	c.MaxStaleness = cmp.Or(c.MaxStaleness, defaultMaxStaleness)
	c.CacheEntries = cmp.Or(c.CacheEntries, defaultCacheEntries)
	switch {
	case c.Leeway == 0:
		c.Leeway = defaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("%w: no Name, and the host has none: %w", ErrConfig, err)
		}
		c.Name = safeName(host)
	}
	return c, c.check()
}

func (c Config) check() error {
	fault := func(text string) error { return fmt.Errorf("%w: %s", ErrConfig, text) }
	switch {
	case c.ServiceKey == "" && c.ServiceKeyFile == "":
		return fault("ServiceKey or ServiceKeyFile is needed to read the feed")
	case c.ServiceKey != "" && c.ServiceKeyFile != "":
		return fault("there are both ServiceKey and ServiceKeyFile")
	case len(c.Name) > 64 || c.Name != safeName(c.Name):
		return fault("Name is not 1 to 64 characters of A-Za-z0-9._-")
	case c.Leeway > jwt.MaxLeeway:
		return fault("Leeway is longer than " + jwt.MaxLeeway.String())
	case c.MaxStaleness < minStaleness:
		return fault("MaxStaleness is shorter than " + minStaleness.String())
	case c.Stale > Introspect:
		return fault("Stale is no policy")
	case c.CacheEntries > maxCacheEntries:
		return fault("CacheEntries is too large")
	}
	return checkIssuer(c.Issuer)
}

// minStaleness leaves time for one message to be lost.
const minStaleness = 15 * time.Second

// checkIssuer demands an URL that is safe to take keys from.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(issuer, "/"):
		return fmt.Errorf("%w: Issuer is not an URL without user, query, fragment and last slash", ErrConfig)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%w: Issuer must be https, or http on a loopback address", ErrConfig)
	}
}

// safeName turns a host's name into a verifier's.
func safeName(host string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		default:
			return '-'
		}
	}, host)
	return name[:min(len(name), 64)]
}
