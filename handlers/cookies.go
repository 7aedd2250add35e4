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
// the refresh token and Prefix + ".access_token"; they are HttpOnly and have Path=/.
type Cookies struct {
	Prefix string // "" means better-auth
	// Secure: CookieSecureAuto, CookieSecureAlways, CookieSecureNever, CookieSecureHost.
	// "" means auto.
	Secure   string
	Domain   string // shares them across subdomains; "" keeps them on the issuer's host
	SameSite string // lax, strict or none; "" means lax
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
	refresh, access string // names
	form            http.Cookie
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
	j := &jar{refresh: prefix + ".session_token", access: prefix + ".access_token"}
	j.form = http.Cookie{Path: "/", Domain: c.Domain, Secure: c.Secure != CookieSecureNever, HttpOnly: true}
	return j, j.setSameSite(c.SameSite)
}

func (j *jar) setSameSite(mode string) error {
	switch mode {
	case "", "lax":
		j.form.SameSite = http.SameSiteLaxMode
	case "strict":
		j.form.SameSite = http.SameSiteStrictMode
	case "none":
		j.form.SameSite = http.SameSiteNoneMode
		if !j.form.Secure {
			return fmt.Errorf("%w: SameSite=None needs Secure", ErrConfig)
		}
	default:
		return fmt.Errorf("%w: cookies.same_site is none of lax, strict, none", ErrConfig)
	}
	probe := j.form
	probe.Name, probe.Value = j.refresh, "x"
	if err := probe.Valid(); err != nil {
		return fmt.Errorf("%w: cookies: %w", ErrConfig, err)
	}
	return nil
}

// set puts the tokens of a grant into cookies that end when the tokens do.
func (j *jar) set(x *exchange, g session.Grant, now time.Time) {
	if g.RefreshToken != "" {
		j.put(x, j.refresh, g.RefreshToken, seconds(g.View.ExpiresAt.Sub(now)))
	}
	if g.AccessToken != "" {
		j.put(x, j.access, g.AccessToken, seconds(g.AccessExpiresAt.Sub(now)))
	}
}

// clear removes both cookies from the browser: the ones for the configured domain and
// those of this host alone, which an earlier configuration or a neighbour may have left.
func (j *jar) clear(x *exchange) {
	for _, name := range []string{j.refresh, j.access} {
		j.put(x, name, "", -1)
		if j.form.Domain != "" {
			c := j.form
			c.Name, c.MaxAge, c.Domain = name, -1, ""
			http.SetCookie(x.Response(), &c)
		}
	}
}

func (j *jar) put(x *exchange, name, value string, maxAge int) {
	c := j.form
	c.Name, c.Value, c.MaxAge = name, value, maxAge
	http.SetCookie(x.Response(), &c)
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
