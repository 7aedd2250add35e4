package credential

import (
	"strconv"
	"strings"
	"time"

	"issuer.example/handlers/exchange"
)

// maxClearedChunks is how many parts of a divided cache are looked for when it is removed: the original
// better-auth server, and earlier versions of the issuer, divide a large one.
const maxClearedChunks = 16

// CacheMaxAge is how long the cookie cache may be trusted; 0: there is none.
func (j *Jar) CacheMaxAge() time.Duration { return j.cacheMaxAge }

// SetCache sets the cookie cache of a better-auth client, and removes what else the browser has of it. An
// empty text, or one for which the headers of the answer have no room, only removes.
func (j *Jar) SetCache(x *exchange.Exchange, text string, life time.Duration) {
	line := j.cookie(j.cache, text, seconds(life), j.scopes.own).String()
	if text == "" || len(j.cache)+len(text) > maxCookie || !x.HeaderFits(setCookie, line) {
		j.clearCacheExcept(x, "")
		return
	}
	x.Header().Add(setCookie, line)
	if len(x.Request().CookiesNamed(j.cache)) > 1 { // of an earlier configuration, or planted
		j.expireIn(x, j.cache, j.scopes.elsewhere(x.Request()))
	}
	j.clearCacheExcept(x, j.cache)
}

// clearCacheExcept removes the cookies of the cache that the request has, but for the one of that name.
func (j *Jar) clearCacheExcept(x *exchange.Exchange, kept string) {
	for _, name := range j.cacheCookies(x) {
		if name != kept {
			j.expire(x, name)
		}
	}
}

// cacheCookies returns the names of the cookies of the cache that the request has.
func (j *Jar) cacheCookies(x *exchange.Exchange) []string {
	var names []string
	if _, ok := x.Request().Header["Cookie"]; !ok {
		return nil
	}
	if len(x.Request().CookiesNamed(j.cache)) > 0 {
		names = append(names, j.cache)
	}
	if !strings.Contains(strings.Join(x.Request().Header["Cookie"], ";"), j.cache+".") {
		return names
	}
	for i := range maxClearedChunks {
		if name := j.cache + "." + strconv.Itoa(i); len(x.Request().CookiesNamed(name)) > 0 {
			names = append(names, name)
		}
	}
	return names
}
