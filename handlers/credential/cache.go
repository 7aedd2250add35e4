package credential

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"issuer.example/handlers/exchange"
)

const (
	// maxChunk is how many bytes a browser keeps in one cookie, less its name and attributes.
	maxChunk = 4050
	// maxCacheChunks bounds what the browser sends back with every request, so that it fits into
	// the headers that a server accepts. A larger text is not set.
	maxCacheChunks = 2
	// maxClearedChunks is how many chunks are looked for when the cache is cleared.
	maxClearedChunks = 16
)

// CacheMaxAge is how long the cookie cache may be trusted; 0: there is none.
func (j *Jar) CacheMaxAge() time.Duration { return j.cacheMaxAge }

// SetCache sets the cookie cache of a better-auth client, in one cookie or in chunks, and removes what
// else the browser has of it. An empty text, or one that is too large, only removes.
func (j *Jar) SetCache(x *exchange.Exchange, text string, life time.Duration) {
	var names []string
	if len(text) <= maxCacheChunks*maxChunk {
		names = j.setChunks(x, text, life)
	}
	j.clearCacheExcept(x, names)
}

func (j *Jar) setChunks(x *exchange.Exchange, text string, life time.Duration) (names []string) {
	set := func(name, value string) {
		http.SetCookie(x.Writer(), j.cookie(name, value, seconds(life), j.domain))
		names = append(names, name)
	}
	if text != "" && len(text) <= maxChunk {
		set(j.cache, text)
		return names
	}
	for i := 0; len(text) > 0; i++ {
		n := min(len(text), maxChunk)
		set(j.cache+"."+strconv.Itoa(i), text[:n])
		text = text[n:]
	}
	return names
}

// clearCacheExcept removes the cookies of the cache that the request has, but for those names.
func (j *Jar) clearCacheExcept(x *exchange.Exchange, names []string) {
	for _, name := range j.cacheCookies(x) {
		if !slices.Contains(names, name) {
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
