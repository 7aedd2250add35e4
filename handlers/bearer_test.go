package handlers_test

import (
	"strings"
	"testing"
	"time"
)

const tokenHeader = "Set-Auth-Token"

// TestBearerSession: the refresh token as bearer token is as good as the session cookie at /api/auth, for
// clients with better-auth's bearer plugin. Its successor is in a header, and no cookie is set.
func TestBearerSession(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	read := func(token string) answer {
		a := f.call(t, "GET", "/api/auth/get-session", nil, bearer(token), header("Origin", appOrigin)).want(t, 200, "")
		if len(a.Cookies()) != 0 || a.Header.Get(tokenHeader) != "" {
			t.Errorf("a reading sets %v", a.Header)
		}
		return a
	}
	a := read(s.refresh)
	if got := a.identity(t); got.Session.ID != s.id || got.NeedsRefresh != nil {
		t.Errorf("%s", a.body)
	}
	f.call(t, "GET", "/v1/session", nil, bearer(a.Header.Get("Set-Auth-Jwt"))).want(t, 200, "")
	f.call(t, "GET", "/api/auth/token", nil, bearer(s.refresh)).want(t, 200, "")
	f.call(t, "GET", "/api/auth/list-sessions", nil, bearer(s.refresh)).want(t, 200, "")

	f.advance(t, 5*time.Minute)
	if got := read(s.refresh).identity(t); got.NeedsRefresh == nil || !*got.NeedsRefresh {
		t.Fatal("no renewal is due")
	}
	renew := func(token string, options ...option) answer {
		return f.call(t, "POST", "/api/auth/get-session", "{}", append(options, bearer(token), header("Origin", appOrigin))...).want(t, 200, "")
	}
	a = renew(s.refresh)
	next := a.Header.Get(tokenHeader)
	if !strings.HasPrefix(next, "rt_") || next == s.refresh || len(a.Cookies()) != 0 || a.identity(t).Session.ID != s.id {
		t.Errorf("not renewed: %v %s", a.Header, a.body)
	}
	if !strings.Contains(a.Header.Get("Access-Control-Expose-Headers"), tokenHeader) {
		t.Errorf("a page cannot read it: %v", a.Header)
	}
	if got := renew(s.refresh).Header.Get(tokenHeader); got != next { // a second request at the same time
		t.Errorf("two successors: %s and %s", got, next)
	}
	f.advance(t, time.Hour)
	last := renew(next).Header.Get(tokenHeader)
	f.advance(t, time.Hour)
	renew(s.refresh).null(t) // a copy ends the session, as in a cookie
	if a := f.call(t, "GET", "/api/auth/get-session", nil, bearer(last)).null(t); len(a.Cookies()) != 0 {
		t.Errorf("sets %v", a.Cookies())
	}
	if got := f.state(t, s.id); got != "refresh_reuse" {
		t.Errorf("the session is %q", got)
	}
}

// TestBearerSessionEnds: the routes that end sessions take it, too.
func TestBearerSessionEnds(t *testing.T) {
	f := newBetterFixture(t, nil)
	one, two, three := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1")
	f.call(t, "POST", "/api/auth/revoke-session", map[string]string{"token": two.id}, bearer(one.refresh)).want(t, 200, "")
	f.call(t, "POST", "/api/auth/revoke-other-sessions", nil, bearer(one.refresh)).want(t, 200, "")
	if got := f.state(t, one.id) + f.state(t, two.id) + f.state(t, three.id); got != "revoked_by_userrevoked_by_user" {
		t.Errorf("ended: %s", got)
	}
	f.call(t, "POST", "/api/auth/sign-out", nil, bearer(one.refresh)).want(t, 200, "")
	f.call(t, "GET", "/api/auth/get-session", nil, bearer(one.refresh)).null(t)
	// Another place does not take it.
	f.call(t, "GET", "/v1/session", nil, bearer(f.mint(t, "u1").refresh)).want(t, 401, "token_invalid")
}

// TestBearerBesideCookie: a page that sends both has the successor in both, so that the cookie does not look
// like a copy later. A cookie of another session is refused.
func TestBearerBesideCookie(t *testing.T) {
	f := newBetterFixture(t, nil)
	s, other := f.mint(t, "u1"), f.mint(t, "u2")
	renew := func(token, inCookie string) answer {
		return f.call(t, "POST", "/api/auth/get-session", nil, bearer(token), cookie(refreshCookie, inCookie), fromAppPage())
	}
	token, inCookie := s.refresh, s.refresh
	for range 4 {
		f.advance(t, time.Hour)
		a := renew(token, inCookie).want(t, 200, "")
		token, inCookie = a.Header.Get(tokenHeader), setCookie(t, a, refreshCookie).Value
		if token != inCookie {
			t.Fatalf("the header has %s, the cookie %s", token, inCookie)
		}
	}
	renew(token, other.refresh).want(t, 400, "BAD_REQUEST")
	a := renew(token, "of another system").want(t, 200, "")
	if _, set := a.cookie(refreshCookie); set || a.Header.Get(tokenHeader) == "" {
		t.Errorf("beside a foreign cookie: %v", a.Header)
	}
	f.call(t, "POST", "/api/auth/get-session", nil, bearer(token), cookie("theme", "dark")).want(t, 403, "MISSING_OR_NULL_ORIGIN")
}
