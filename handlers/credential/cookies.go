package credential

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"issuer.example/secret"
)

// Cookies says how tokens travel in cookies. The names are Prefix + ".session_token" for the refresh
// token, Prefix + ".access_token", and Prefix + ".session_data" for the cookie cache of a better-auth
// client; they are HttpOnly and have Path=/. Where the names begin with __Secure-, a cookie
// "__Host-" + Prefix + ".session_mac" vouches for the session.
type Cookies struct {
	Prefix string // "" means better-auth
	// Secure: CookieSecureAuto, CookieSecureAlways, CookieSecureNever, CookieSecureHost.
	// "" means auto.
	Secure   string
	Domain   string // shares them across subdomains; "" keeps them on the issuer's host
	SameSite string // lax, strict or none; "" means lax
	// CacheMaxAge is how long a better-auth client may trust its cookie cache; 0: no cache.
	CacheMaxAge time.Duration
	// Secrets are what the keys of the vouching cookie are derived from: the first makes it, all accept
	// it. None: there is no such cookie.
	Secrets []secret.Secret
}

// The values of [Cookies.Secure].
const (
	CookieSecureAuto   = "auto"   // always if the issuer's URL is https, else never
	CookieSecureAlways = "always" // Secure, and the name begins with __Secure-
	CookieSecureNever  = "never"  // neither
	CookieSecureHost   = "host"   // Secure, and the name begins with __Host-; no Domain
)

func newJar(c Cookies, issuer string, logger *slog.Logger) (*Jar, error) {
	if c.Prefix == "" {
		c.Prefix = "better-auth"
	}
	if c.Secure == "" || c.Secure == CookieSecureAuto {
		c.Secure = CookieSecureNever
		if strings.HasPrefix(issuer, "https://") {
			c.Secure = CookieSecureAlways
		}
	}
	prefix := c.Prefix
	switch c.Secure {
	case CookieSecureAlways:
		prefix = "__Secure-" + prefix
	case CookieSecureHost:
		prefix = "__Host-" + prefix
		if c.Domain != "" {
			return nil, errors.New("__Host- cookies cannot have a domain")
		}
	case CookieSecureNever:
	default:
		return nil, errors.New("cookies.secure must be auto, always, never or host")
	}
	j := &Jar{
		refresh: prefix + ".session_token", access: prefix + ".access_token", cache: prefix + ".session_data",
		cacheMaxAge: c.CacheMaxAge, scopes: scopes{own: scope{path: "/"}}, secure: c.Secure != CookieSecureNever,
		logger: logger,
	}
	if c.Secure != CookieSecureHost { // those cookies have one scope only, which no sibling can write
		j.scopes = newScopes(issuer, c.Domain)
	}
	if c.Secure == CookieSecureAlways {
		j.companion.name = "__Host-" + c.Prefix + ".session_mac"
	}
	for _, s := range c.Secrets {
		j.companion.keys = append(j.companion.keys, s.Derive(companionKeyPurpose))
	}
	if err := j.setSameSite(c.SameSite); err != nil {
		return nil, err
	}
	if err := j.cookie(j.refresh, "x", 1, j.scopes.own).Valid(); err != nil {
		return nil, fmt.Errorf("cookies: %w", err)
	}
	return j, nil
}

func (j *Jar) setSameSite(mode string) error {
	switch mode {
	case "", "lax":
		j.sameSite = http.SameSiteLaxMode
	case "strict":
		j.sameSite = http.SameSiteStrictMode
	case "none":
		j.sameSite = http.SameSiteNoneMode
		if !j.secure {
			return errors.New("cookies.same_site none needs Secure cookies")
		}
	default:
		return errors.New("cookies.same_site must be lax, strict or none")
	}
	return nil
}
