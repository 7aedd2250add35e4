package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/jwt"
)

// cached returns the session_data that an answer sets.
func cached(t *testing.T, a answer) (text string, names []string) {
	t.Helper()
	for _, c := range a.Cookies() {
		if strings.HasPrefix(c.Name, cacheCookie) && c.MaxAge > 0 {
			if len(c.Value) > 4050 || c.MaxAge != 300 || !c.HttpOnly || c.Path != "/" {
				t.Errorf("cookie %s: %d bytes, %v", c.Name, len(c.Value), c)
			}
			text += c.Value
			names = append(names, c.Name)
		}
	}
	return text, names
}

func (f *fixture) mintLarge(t *testing.T, image, claim int) string {
	t.Helper()
	a := f.call(t, "POST", "/v1/sessions", map[string]any{
		"user":   map[string]any{"id": "u1", "image": strings.Repeat("i", image)},
		"claims": map[string]any{"c": strings.Repeat("c", claim)},
	}, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	return a.text(t, "refresh_token")
}

func TestCookieCache(t *testing.T) {
	f := newBetterFixture(t, nil)
	for _, tt := range []struct {
		image, claim, cookies int
	}{{10, 10, 1}, {800, 100, 1}, {1500, 10, 0}, {10, 1000, 0}, {2048, 4000, 0}} {
		token := f.mintLarge(t, tt.image, tt.claim)
		a := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, token)).want(t, 200, "")
		text, names := cached(t, a)
		if len(names) != tt.cookies {
			t.Errorf("%+v: %v", tt, names)
		}
		if tt.cookies == 0 {
			continue
		}
		h, payload, err := jwt.VerifySignature(text, f.keys)
		must(t, err)
		var claims struct {
			identity
			UpdatedAt          int64
			Iss, Aud, Sub, Sid string
			Iat, Exp           int64
		}
		must(t, json.Unmarshal(payload, &claims))
		now := f.clock.now()
		if h.Type != "better-auth.session-cache+jwt" || claims.Iss != testIssuer || claims.Aud != "better-auth:session-cache" ||
			claims.Sub != "u1" || claims.Sid != claims.Session.Token || claims.UpdatedAt != now.UnixMilli() || claims.Exp != now.Add(5*time.Minute).Unix() {
			t.Errorf("%+v %s", h, payload)
		}
		if claims.User["id"] != "u1" || claims.NeedsRefresh != nil {
			t.Errorf("%s", payload)
		}
		// It opens nothing.
		f.call(t, "GET", "/v1/session", nil, bearer(text)).want(t, 401, "token_invalid")
		f.call(t, "DELETE", "/v1/session", nil, bearer(text)).want(t, 401, "token_invalid")
		f.call(t, "GET", "/api/auth/list-sessions", nil, bearer(text)).want(t, 401, "UNAUTHORIZED")
		f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(cacheCookie, text)).want(t, 401, "UNAUTHORIZED")
	}
}

// TestCookieCacheIsReplaced: cookies of an earlier form of the cache are removed.
func TestCookieCacheIsReplaced(t *testing.T) {
	f := newBetterFixture(t, nil)
	small, large := f.mintLarge(t, 1, 1), f.mintLarge(t, 2048, 1000)
	old := []option{cookie(cacheCookie, "x"), cookie(cacheCookie+".0", "x"), cookie(cacheCookie+".1", "x"), cookie(cacheCookie+".2", "x")}
	for token, want := range map[string]string{small: ".0 .1 .2", large: " .0 .1 .2"} {
		a := f.call(t, "GET", "/api/auth/get-session", nil, append(old, cookie(refreshCookie, token))...).want(t, 200, "")
		var removed []string
		for _, c := range a.Cookies() {
			if c.MaxAge < 0 {
				removed = append(removed, strings.TrimPrefix(c.Name, cacheCookie))
			}
		}
		if got := strings.Join(removed, " "); got != want {
			t.Errorf("removed %q, want %q", got, want)
		}
	}
}

// TestCookieCacheIsKept: an answer sets the cache only if the request has none that says the same and has some
// time left, as the original server does: some clients ask again whenever its value changes.
func TestCookieCacheIsKept(t *testing.T) {
	f := newBetterFixture(t, nil)
	s, other := f.mint(t, "u1"), f.mint(t, "u1")
	read := func(refresh string, caches ...string) (set string, a answer) {
		options := []option{cookie(refreshCookie, refresh)}
		for _, cache := range caches {
			options = append(options, cookie(cacheCookie, cache))
		}
		a = f.call(t, "GET", "/api/auth/get-session", nil, options...).want(t, 200, "")
		set, _ = cached(t, a)
		return set, a
	}
	began := f.clock.now()
	first, _ := read(s.refresh)
	for _, age := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, 2 * time.Minute, 239 * time.Second} {
		f.advance(t, began.Add(age).Sub(f.clock.now()))
		if set, a := read(s.refresh, first); set != "" || len(a.Cookies()) != 0 {
			t.Errorf("after %v: sets %v", age, a.Header["Set-Cookie"])
		}
	}
	for name, caches := range map[string][]string{
		"none": nil, "damaged": {damaged(first)}, "garbage": {"x"}, "another session's": {readCache(t, f, other.refresh)},
		"an access token": {s.access}, "two": {first, "x"}, "of another system": {"eyJzZXNzaW9uIjp7fX0"},
	} {
		set, _ := read(s.refresh, caches...)
		if set == "" || set == first {
			t.Errorf("%s: sets %q", name, set)
		}
		if again, _ := read(s.refresh, set); again != "" {
			t.Errorf("%s: the new one is replaced at once", name)
		}
	}
	f.advance(t, time.Second) // its last fifth begins
	second, _ := read(s.refresh, first)
	if second == "" {
		t.Error("near its end it is not renewed")
	}
	// A redemption changes the session's end, which is in the cache.
	a := f.call(t, "POST", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh), cookie(cacheCookie, second), fromAppPage()).want(t, 200, "")
	third, _ := cached(t, a)
	next := setCookie(t, a, refreshCookie).Value
	if third == "" {
		t.Error("after a redemption it says what is no longer so")
	}
	if set, _ := read(next, third); set != "" {
		t.Error("the one of a redemption is replaced at once")
	}
	// So does a new authentication, if it binds the session to another address.
	f.call(t, "POST", "/v1/sessions/"+s.id+"/reauthenticate", `{"ip_address":"192.0.2.9"}`, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	if set, _ := read(next, third); set == "" {
		t.Error("a change of the session does not reach the cache")
	}
}

// readCache returns the cookie cache of a session.
func readCache(t *testing.T, f *fixture, refresh string) string {
	t.Helper()
	text, _ := cached(t, f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh)).want(t, 200, ""))
	return text
}

func TestCookieCacheEndsWithTheSession(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	f.advance(t, 7*24*time.Hour-time.Minute)
	a := f.call(t, "GET", "/api/auth/get-session?disableRefresh=true", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	if c := setCookie(t, a, cacheCookie); c.MaxAge != 60 {
		t.Errorf("Max-Age %d, want 60", c.MaxAge)
	}
	f.call(t, "DELETE", "/v1/session", nil, bearer(s.refresh)).want(t, 204, "")
	// A session that has ended is refused, whatever the cache says.
	f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh), cookie(cacheCookie, setCookie(t, a, cacheCookie).Value)).null(t)
}

func TestCookieCacheCanBeOff(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	a := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh), cookie(cacheCookie, "left over")).want(t, 200, "")
	if c := setCookie(t, a, cacheCookie); c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("cookie: %v", c)
	}
	// A request by bearer token sets no cookies.
	if a := f.call(t, "GET", "/api/auth/get-session", nil, bearer(s.access)).want(t, 200, ""); len(a.Cookies()) != 0 || a.identity(t).Session.ID != s.id {
		t.Errorf("%v %s", a.Cookies(), a.body)
	}
}

// TestPlantedCookiesForBetterAuth is row R13.
func TestPlantedCookiesForBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	mine, theirs := f.mint(t, "victim"), f.mint(t, "attacker")
	both := []option{cookie(refreshCookie, theirs.refresh), cookie(refreshCookie, mine.refresh), fromAppPage()}
	for _, route := range []string{"GET get-session", "POST get-session", "GET list-sessions", "POST revoke-sessions", "GET revoke-all-sessions", "GET token"} {
		method, path, _ := strings.Cut(route, " ")
		if a := f.call(t, method, "/api/auth/"+path, nil, both...).want(t, 400, "BAD_REQUEST"); len(a.Cookies()) != 0 {
			t.Errorf("%s: one of the cookies is the user's own: %v", route, a.Header["Set-Cookie"])
		}
		a := f.call(t, method, "/api/auth/"+path, nil, bearer(theirs.access), cookie(refreshCookie, mine.refresh), fromAppPage())
		a.want(t, 400, "BAD_REQUEST")
	}
	a := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, "rt_"+strings.Repeat("A", 64)), cookie(refreshCookie, mine.refresh))
	if a.identity(t).Session.ID != mine.id || len(a.Cookies()) != 1 {
		t.Errorf("a dead twin beside the good one: %v %s", a.Cookies(), a.body)
	}
	for _, s := range []tokens{mine, theirs} {
		f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	}
}
