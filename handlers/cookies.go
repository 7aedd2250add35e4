package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"issuer.example/session"
)

// Cookies says how tokens travel in cookies. The names are Prefix + ".session_token" for
// the refresh token, Prefix + ".access_token", and Prefix + ".session_data" for the cookie
// cache of a better-auth client; they are HttpOnly and have Path=/.
type Cookies struct {
	Prefix string // "" means better-auth
	// Secure: CookieSecureAuto, CookieSecureAlways, CookieSecureNever, CookieSecureHost.
	// "" means auto.
	Secure   string
	Domain   string // shares them across subdomains; "" keeps them on the issuer's host
	SameSite string // lax, strict or none; "" means lax
	// CacheMaxAge is how long a better-auth client may trust its cookie cache; 0: it has none.
	CacheMaxAge time.Duration
}

// The values of [Cookies.Secure].
const (
	CookieSecureAuto   = "auto"   // as always if the issuer's URL is https, else as never
	CookieSecureAlways = "always" // Secure, and the name begins with __Secure-
	CookieSecureNever  = "never"  // neither
	CookieSecureHost   = "host"   // Secure, and the name begins with __Host-; no Domain
)

// maxSameName is how many cookies of one name are tried. A browser sends more only if
// someone plants them.
const maxSameName = 8

// jar writes and reads the cookies of tokens.
type jar struct {
	refresh, access, cache string // names
	domain                 string
	secure                 bool
	sameSite               http.SameSite
	cacheMaxAge            time.Duration
}

func newJar(c Cookies, issuer string) (*jar, error) {
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
			return nil, fmt.Errorf("%w: __Host- cookies have no domain", ErrConfig)
		}
	case CookieSecureNever:
	default:
		return nil, fmt.Errorf("%w: cookies.secure is none of auto, always, never, host", ErrConfig)
	}
	j := &jar{
		refresh: prefix + ".session_token", access: prefix + ".access_token", cache: prefix + ".session_data",
		cacheMaxAge: c.CacheMaxAge, domain: c.Domain, secure: c.Secure != CookieSecureNever,
	}
	if err := j.setSameSite(c.SameSite); err != nil {
		return nil, err
	}
	if err := j.cookie(j.refresh, "x", 1, j.domain).Valid(); err != nil {
		return nil, fmt.Errorf("%w: cookies: %w", ErrConfig, err)
	}
	return j, nil
}

func (j *jar) setSameSite(mode string) error {
	switch mode {
	case "", "lax":
		j.sameSite = http.SameSiteLaxMode
	case "strict":
		j.sameSite = http.SameSiteStrictMode
	case "none":
		j.sameSite = http.SameSiteNoneMode
		if !j.secure {
			return fmt.Errorf("%w: SameSite=None needs Secure", ErrConfig)
		}
	default:
		return fmt.Errorf("%w: cookies.same_site is none of lax, strict, none", ErrConfig)
	}
	return nil
}

// set puts the tokens of a grant into cookies that end when the tokens do.
func (j *jar) set(x *exchange, g session.Grant, now time.Time) {
	if g.RefreshToken != "" {
		http.SetCookie(x.Response(), j.cookie(j.refresh, g.RefreshToken, seconds(g.View.ExpiresAt.Sub(now)), j.domain))
	}
	if g.AccessToken != "" {
		http.SetCookie(x.Response(), j.cookie(j.access, g.AccessToken, seconds(g.AccessExpiresAt.Sub(now)), j.domain))
	}
}

// clear removes the cookies of a session from the browser.
func (j *jar) clear(x *exchange) {
	for _, name := range []string{j.refresh, j.access, j.cache} {
		j.expire(x, name)
	}
	j.clearCache(x, []string{j.cache})
}

// expire removes a cookie: the one for the configured domain and that of this host alone,
// which an earlier configuration or a neighbour may have left.
func (j *jar) expire(x *exchange, name string) {
	http.SetCookie(x.Response(), j.cookie(name, "", -1, j.domain))
	if j.domain != "" {
		http.SetCookie(x.Response(), j.cookie(name, "", -1, ""))
	}
}

func (j *jar) cookie(name, value string, maxAge int, domain string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", Domain: domain, MaxAge: maxAge,
		Secure: j.secure, HttpOnly: true, SameSite: j.sameSite,
	}
}

// values returns what the request has under exactly that name, each value once.
func (j *jar) values(x *exchange, name string) ([]string, error) {
	if _, ok := x.Request().Header["Cookie"]; !ok {
		return nil, nil
	}
	var found []string
	for _, c := range x.Request().CookiesNamed(name) {
		if c.Value != "" && !slices.Contains(found, c.Value) {
			found = append(found, c.Value)
		}
	}
	if len(found) > maxSameName {
		j.clear(x)
		return nil, invalid("The request has too many cookies of one name.")
	}
	return found, nil
}

// seconds is a cookie's Max-Age: at least 1, because 0 would not be sent.
func seconds(d time.Duration) int { return max(int(d/time.Second), 1) }
