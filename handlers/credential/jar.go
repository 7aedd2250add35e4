package credential

import (
	"net/http"
	"slices"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// maxSameName is how many different cookies of one name are accepted. A browser sends more only if
// somebody has planted them.
const maxSameName = 8

// Jar reads and writes the cookies of tokens.
type Jar struct {
	refresh, access, cache string // names
	domain                 string
	secure                 bool
	sameSite               http.SameSite
	cacheMaxAge            time.Duration
}

// Set puts the tokens of a grant into cookies that end when the tokens do.
func (j *Jar) Set(x *exchange.Exchange, g session.Grant, now time.Time) {
	if g.RefreshToken != "" {
		http.SetCookie(x.Writer(), j.cookie(j.refresh, g.RefreshToken, seconds(g.View.ExpiresAt.Sub(now)), j.domain))
	}
	if g.AccessToken != "" {
		http.SetCookie(x.Writer(), j.cookie(j.access, g.AccessToken, seconds(g.AccessExpiresAt.Sub(now)), j.domain))
	}
}

// Clear removes the cookies of a session from the browser.
func (j *Jar) Clear(x *exchange.Exchange) {
	for _, name := range []string{j.refresh, j.access, j.cache} {
		j.expire(x, name)
	}
	j.clearCacheExcept(x, []string{j.cache})
}

// expire removes a cookie: the one of the configured domain, and the one of this host alone, which
// may have been set under an earlier configuration or by another application on this host.
func (j *Jar) expire(x *exchange.Exchange, name string) {
	http.SetCookie(x.Writer(), j.cookie(name, "", -1, j.domain))
	if j.domain != "" {
		http.SetCookie(x.Writer(), j.cookie(name, "", -1, ""))
	}
}

func (j *Jar) cookie(name, value string, maxAge int, domain string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", Domain: domain, MaxAge: maxAge,
		Secure: j.secure, HttpOnly: true, SameSite: j.sameSite,
	}
}

// values returns the values of the cookies of exactly that name, each once.
func (j *Jar) values(x *exchange.Exchange, name string) ([]string, error) {
	if _, ok := x.Request().Header["Cookie"]; !ok {
		return nil, nil
	}
	var values []string
	for _, c := range x.Request().CookiesNamed(name) {
		if c.Value != "" && !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	if len(values) > maxSameName {
		j.Clear(x)
		return nil, exchange.Invalid("The request has too many cookies of one name.")
	}
	return values, nil
}

// seconds is a cookie's Max-Age: at least 1, because net/http leaves 0 out.
func seconds(d time.Duration) int { return max(int(d/time.Second), 1) }
