package credential

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

const (
	setCookie = "Set-Cookie"
	// maxSameName is how many different cookies of one name are accepted. A browser sends more only if
	// somebody has planted them.
	maxSameName = 8
	// maxCookie is how long the name and the value of a cookie may be together: browsers ignore a longer
	// one without a word (RFC 6265bis §5.6).
	maxCookie = 4096
)

// Jar reads and writes the cookies of tokens.
type Jar struct {
	refresh, access, cache string // names
	companion              companion
	scopes                 scopes
	secure                 bool
	sameSite               http.SameSite
	cacheMaxAge            time.Duration
	logger                 *slog.Logger
	warnAccess             sync.Once
}

// MaxAccessToken is how many bytes an access token may have to be kept in a cookie.
func (j *Jar) MaxAccessToken() int { return maxCookie - len(j.access) }

// Set puts the tokens of a grant into cookies that end when the tokens do, together with the companion of
// the session. It reports whether all tokens are in cookies: an access token that is too large for one is
// left out, and that is logged once.
func (j *Jar) Set(x *exchange.Exchange, g session.Grant, now time.Time) (complete bool) {
	if g.RefreshToken != "" {
		life := seconds(g.View.ExpiresAt.Sub(now))
		j.set(x, j.refresh, g.RefreshToken, life)
		if j.companion.enabled() {
			http.SetCookie(x.Writer(), j.cookie(j.companion.name, j.companion.value(g.View.ID), life, scope{path: "/"}))
		}
	}
	switch {
	case g.AccessToken == "":
	case len(g.AccessToken) > j.MaxAccessToken():
		j.warnAccess.Do(func() {
			j.logger.Warn("an access token is too large for a cookie: browsers get none; give the sessions smaller claims",
				"bytes", len(g.AccessToken), "limit", j.MaxAccessToken())
		})
		return false
	default:
		j.set(x, j.access, g.AccessToken, seconds(g.AccessExpiresAt.Sub(now)))
	}
	return true
}

// set sets a cookie and removes those of its name that an earlier configuration of the domain has left. It
// does so if the request shows that there is one at all, and over plain http, where no companion would
// tell them apart later.
func (j *Jar) set(x *exchange.Exchange, name, value string, maxAge int) {
	http.SetCookie(x.Writer(), j.cookie(name, value, maxAge, j.scopes.own))
	if j.scopes.plain || len(x.Request().CookiesNamed(name)) > 0 {
		j.expireIn(x, name, j.scopes.others)
	}
}

// Clear removes the cookies of a session from the browser.
func (j *Jar) Clear(x *exchange.Exchange) {
	for _, name := range []string{j.refresh, j.access, j.cache} {
		j.expire(x, name)
	}
	if j.companion.enabled() {
		http.SetCookie(x.Writer(), j.cookie(j.companion.name, "", -1, scope{path: "/"}))
	}
	j.clearCacheExcept(x, j.cache)
}

// expire removes a cookie in the configured scope, and from where an earlier configuration, another
// application on this host or, if the request has several, a page of a sibling subdomain may have put it.
func (j *Jar) expire(x *exchange.Exchange, name string) {
	http.SetCookie(x.Writer(), j.cookie(name, "", -1, j.scopes.own))
	if len(x.Request().CookiesNamed(name)) > 1 {
		j.expireIn(x, name, j.scopes.elsewhere(x.Request()))
	} else {
		j.expireIn(x, name, j.scopes.others)
	}
}

// hasAny reports whether the request has a session or access cookie.
func (j *Jar) hasAny(x *exchange.Exchange) bool {
	return len(cookieValues(x, j.refresh))+len(cookieValues(x, j.access)) > 0
}

func (j *Jar) cookie(name, value string, maxAge int, in scope) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: in.path, Domain: in.domain, MaxAge: maxAge,
		Secure: j.secure, HttpOnly: true, SameSite: j.sameSite,
	}
}

// cookieValues returns the values of the cookies of exactly that name, each once.
func cookieValues(x *exchange.Exchange, name string) []string {
	if _, ok := x.Request().Header["Cookie"]; !ok {
		return nil
	}
	var values []string
	for _, c := range x.Request().CookiesNamed(name) {
		if c.Value != "" && !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	return values
}

// seconds is a cookie's Max-Age: at least 1, because net/http leaves 0 out.
func seconds(d time.Duration) int { return max(int(d/time.Second), 1) }
