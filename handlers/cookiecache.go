package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"issuer.example/session"
)

// The cookie cache of a better-auth client: a JWT of its own that says who is signed in.
// It is for that client only; no other verifier takes its type or its audience.
const (
	cacheType     = "better-auth.session-cache+jwt"
	cacheAudience = "better-auth:session-cache"

	// maxChunk is how much a browser keeps in one cookie, with room for its name and
	// attributes.
	maxChunk = 4050
	// maxCacheChunks bounds what the browser sends back with every request, so that it
	// fits beside the other cookies into the headers that a server takes. A session whose
	// JWT is larger has no cache.
	maxCacheChunks = 2
	// maxStrayChunks is how many chunks are looked for when they are cleared.
	maxStrayChunks = 16
)

// remember sets the cookie cache.
func (s *Server) remember(x *exchange, v *session.View) error {
	now := s.cfg.Now()
	life := min(s.jar.cacheMaxAge, v.IdleExpiresAt.Sub(now)).Truncate(time.Second)
	var names []string
	if life > 0 {
		text, _, err := s.cfg.Keys.Sign(cacheType, s.cacheClaims(v, now, life))
		if err != nil {
			return err
		}
		names = s.jar.setCache(x, text, life)
	}
	s.jar.clearCache(x, names)
	return nil
}

func (s *Server) cacheClaims(v *session.View, now time.Time, life time.Duration) []byte {
	b := appendIdentity(make([]byte, 0, 2048), v, false)
	b = b[:len(b)-1]
	b = strconv.AppendInt(append(b, `,"updatedAt":`...), now.UnixMilli(), 10)
	b = appendString(append(b, `,"version":"1","iss":`...), s.cfg.Issuer)
	b = appendString(append(b, `,"aud":`...), cacheAudience)
	b = appendString(append(b, `,"sub":`...), v.User.ID)
	b = appendString(append(b, `,"sid":`...), v.ID.String())
	b = strconv.AppendInt(append(b, `,"iat":`...), now.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), now.Add(life).Unix(), 10)
	return append(b, '}')
}

// setCache sets the cookie, or its chunks, and returns their names: none if it is too large.
func (j *jar) setCache(x *exchange, text string, life time.Duration) (names []string) {
	if len(text) > maxCacheChunks*maxChunk {
		return nil
	}
	set := func(name, value string) {
		http.SetCookie(x.Response(), j.cookie(name, value, seconds(life), j.domain))
		names = append(names, name)
	}
	if len(text) <= maxChunk {
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

// clearCache removes what the browser has of the cookie cache, but for what was just set.
func (j *jar) clearCache(x *exchange, set []string) {
	for _, name := range j.cacheNames(x) {
		stale := true
		for _, fresh := range set {
			stale = stale && name != fresh
		}
		if stale {
			j.expire(x, name)
		}
	}
}

// cacheNames are the cookies of the cache that the request has.
func (j *jar) cacheNames(x *exchange) []string {
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
	for i := range maxStrayChunks {
		if name := j.cache + "." + strconv.Itoa(i); len(x.Request().CookiesNamed(name)) > 0 {
			names = append(names, name)
		}
	}
	return names
}
