package guard

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"issuer.example/jwt"
)

// Policy is what a guard does with a good token while its list of revocations is stale. A
// token whose session is on the list is refused under every policy.
type Policy uint8

// The policies.
const (
	// FailClosed refuses the token with [ErrStale], which becomes status 503.
	FailClosed Policy = iota
	// FailOpen accepts the token and counts it in [Stats].
	FailOpen
	// Introspect asks the issuer about the token (RFC 7662), and refuses it with
	// [ErrStale] if there is no usable answer. The service key needs the scope
	// tokens:introspect.
	Introspect
)

// String returns the name of the policy, as in logs.
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
	// maxLifetime is the longest lifetime that an issuer can be configured to give an
	// access token.
	maxLifetime = time.Hour
)

// Config says which issuer a guard trusts and which tokens it accepts.
type Config struct {
	// Issuer is the issuer's URL, exactly as in the claim iss. It must be https, or http
	// on a loopback address; see also AllowPrivateHTTP. Required.
	Issuer string
	// BaseURL is where the issuer is reached, if not at Issuer: an address within a
	// cluster, for example. It takes the place of Issuer in all requests. Empty means
	// Issuer.
	BaseURL string
	// AllowPrivateHTTP allows http for Issuer and BaseURL on private addresses too, and on
	// names that cannot be registered in the public DNS: without a dot, or below
	// .localhost, .local, .internal, .svc, .cluster.local or .home.arpa. Whoever can
	// change what that network carries can then sign tokens that the guard accepts.
	AllowPrivateHTTP bool
	// Audience lists the names of the service. A token is accepted if its aud contains
	// one of them exactly. Required.
	Audience []string
	// ServiceKey is a service key with the scope revocations:read. Required, unless
	// ServiceKeyFile is set.
	ServiceKey string
	// ServiceKeyFile is the path of a file that holds the service key. It is read at each
	// request to the issuer, so the key can be replaced while the service runs.
	ServiceKeyFile string
	// Name is the name of this verifier in the issuer's lists: 1 to 64 characters of
	// A-Za-z0-9._-. Empty means the name of the host.
	Name string
	// Leeway is how far the clocks of the issuer and of this service may differ when the
	// times of a token are checked, at most [jwt.MaxLeeway]. Zero means 5 s, a negative
	// value none.
	Leeway time.Duration
	// MaxStaleness is how long the list of revocations counts as complete after the
	// issuer confirmed it, which it does every 10 s. At least 15 s. Zero means 30 s.
	MaxStaleness time.Duration
	// Stale is the policy for good tokens after that. Zero means [FailClosed]. A route
	// may have a policy of its own: see [WhenStale].
	Stale Policy
	// StateFile is the path of a file in which the guard keeps the last keys and
	// revocations, for a start while the issuer is down. Its folder must exist. Only the
	// user of the service may be able to write it. What it holds is signed, and counts no
	// longer than MaxStaleness says. Empty means that nothing is kept.
	StateFile string
	// CacheEntries is how many verified tokens, of up to 4 KiB each, are cached. Zero
	// means 10,000. A negative value turns the cache off.
	CacheEntries int
	// Cookie is the full name of a cookie that may hold the token, in place of the
	// Authorization header. Empty means that no cookie is read.
	Cookie string
	// TrustedOrigins are origins, such as "https://app.example.com", whose pages may send
	// requests with the cookie and a method other than GET, HEAD and OPTIONS. The origin
	// of the service itself is always trusted.
	TrustedOrigins []string
	// HTTPClient makes the requests to the issuer. Its Jar, Timeout and CheckRedirect are
	// not used. Nil means a client with [http.DefaultTransport].
	HTTPClient *http.Client
	// Logger receives the faults of the feed and of the keys. No token is logged. Nil
	// means [slog.Default].
	Logger *slog.Logger
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
}

// String names the verifier and the issuer. Like every other way to print a Config, it
// leaves the service key out.
func (c Config) String() string { return "guard " + c.Name + " of " + c.Issuer }

// GoString returns the same as [Config.String].
func (c Config) GoString() string { return c.String() }

// LogValue returns the same as [Config.String].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// complete fills in the defaults and checks the result. The error wraps [ErrConfig].
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
			return c, fmt.Errorf("%w: Name is empty, and the name of the host is unknown: %w", ErrConfig, err)
		}
		c.Name = safeName(host)
	}
	return c, c.check()
}

func (c Config) check() error {
	wrong := func(text string) error { return fmt.Errorf("%w: %s", ErrConfig, text) }
	switch {
	case c.ServiceKey == "" && c.ServiceKeyFile == "":
		return wrong("set ServiceKey or ServiceKeyFile")
	case c.ServiceKey != "" && c.ServiceKeyFile != "":
		return wrong("set ServiceKey or ServiceKeyFile, not both")
	case len(c.Name) > 64 || c.Name != safeName(c.Name):
		return wrong("Name must be 1 to 64 characters of A-Za-z0-9._-")
	case c.Leeway > jwt.MaxLeeway:
		return wrong("Leeway must be at most " + jwt.MaxLeeway.String())
	case c.MaxStaleness < minStaleness:
		return wrong("MaxStaleness must be at least " + minStaleness.String())
	case c.Stale > Introspect:
		return wrong("Stale must be FailClosed, FailOpen or Introspect")
	case c.CacheEntries > maxCacheEntries:
		return wrong("CacheEntries must be at most " + strconv.Itoa(maxCacheEntries))
	}
	if c.StateFile != "" {
		if info, err := os.Stat(filepath.Dir(c.StateFile)); err != nil || !info.IsDir() {
			return wrong("the folder of StateFile does not exist")
		}
	}
	if err := c.checkURL("Issuer", c.Issuer); err != nil || c.BaseURL == "" {
		return err
	}
	return c.checkURL("BaseURL", c.BaseURL)
}

// base is where the issuer is reached.
func (c Config) base() string { return cmp.Or(c.BaseURL, c.Issuer) }

// minStaleness is longer than the issuer waits between two confirmations, 10 s.
const minStaleness = 15 * time.Second

// safeName makes the name of a host a valid name of a verifier.
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
