package handlers_test

import (
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/handlers"
)

// headerSize is how many bytes the headers of an answer had on the wire.
func headerSize(t *testing.T, a answer) int {
	t.Helper()
	text, err := httputil.DumpResponse(a.Response, false)
	must(t, err)
	return len(text)
}

// claimsOf is a claims object of that many bytes.
func claimsOf(size int) string {
	const empty = `{"roles":""}`
	return `{"roles":"` + strings.Repeat("r", size-len(empty)) + `"}`
}

// withClaims mints a session with claims of that size; query and body go into the request, too.
func (d *device) withClaims(size int, query, body string) answer {
	d.t.Helper()
	body = `{"user":{"id":"0193a1b2-0000-7000-8000-000000000001","email":"ada.lovelace@example.com","name":"Ada Lovelace"},"claims":` + claimsOf(size) + body + `}`
	return d.do(&http.Client{}, "POST", "/v1/sessions"+query, body, bearer(serviceKey(client.ScopeMint)))
}

// TestHeaderSizes: with 1 KiB of claims, every answer passes a proxy that accepts 4 KiB of headers.
func TestHeaderSizes(t *testing.T) {
	t.Parallel()
	const limit = 3500
	for _, tt := range []struct{ scheme, domain string }{{"http", ""}, {"https", ""}, {"https", "example.localhost"}, {"https", authHost}} {
		for _, size := range []int{12, 132, 300, 523, 800, 1024} {
			s := newSite(t, tt.scheme, tt.domain)
			d := s.device(t)
			check := func(what string, a answer) answer {
				if got := headerSize(t, a); a.StatusCode >= 300 || got > limit {
					t.Errorf("%s, domain %q, %d bytes of claims: %s: %d, %d bytes of headers", tt.scheme, tt.domain, size, what, a.StatusCode, got)
				}
				return a
			}
			page := func(method, path, body string) answer {
				a := d.do(&http.Client{Jar: d.jar}, method, path, body, header("Origin", appOrigin))
				return check(method+" "+path, a)
			}
			a := check("mint", d.withClaims(size, "?transport=cookie", ""))
			d.jar.SetCookies(d.page(authHost), a.Cookies())
			for range 2 { // the first sets cookies that the second sends
				for _, route := range []string{
					"GET /api/auth/get-session", "POST /api/auth/get-session", "POST /v1/session/refresh", "GET /api/auth/token",
					"GET /v1/session", "GET /api/auth/list-sessions",
				} {
					method, path, _ := strings.Cut(route, " ")
					page(method, path, "")
				}
			}
			code := check("mint", d.withClaims(size, "", `,"handoff":true`)).text(t, "handoff_code")
			page("POST", "/v1/session/claim", `{"handoff_code":"`+code+`"}`)
			page("GET", "/api/auth/get-session", "")
			page("POST", "/api/auth/sign-out", "")
			if strings.Contains(s.log.String(), "headers of an answer") {
				t.Errorf("%d bytes of claims: the log warns", size)
			}
		}
	}
}

// TestLargeHeadersAreLogged: once, however many there are.
func TestLargeHeadersAreLogged(t *testing.T) {
	s := newSite(t, "https", "")
	d := s.device(t)
	a := d.withClaims(2000, "?transport=cookie", "").want(t, 201, "")
	d.jar.SetCookies(d.page(authHost), a.Cookies())
	for range 3 {
		d.call("POST", "/v1/session/refresh").want(t, 200, "")
	}
	if n := strings.Count(s.log.String(), "the headers of an answer are larger than a proxy accepts by default"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

// TestOneTokenTwice: an answer that sets the access cookie says its token once more where there is room, and
// one that sets none says it always.
func TestOneTokenTwice(t *testing.T) {
	for size, twice := range map[int]bool{12: true, 200: true, 1024: false, 2000: false} {
		s := newSite(t, "https", "")
		d := s.device(t)
		d.jar.SetCookies(d.page(authHost), d.withClaims(size, "?transport=cookie", "").want(t, 201, "").Cookies())
		a := d.call("POST", "/api/auth/get-session").want(t, 200, "")
		if token := a.Header.Get("Set-Auth-Jwt"); (token != "") != twice || twice && token != setCookie(t, a, "__Secure-"+accessCookie).Value {
			t.Errorf("%d bytes of claims: Set-Auth-Jwt %.20q", size, token)
		}
		if a := d.call("GET", "/api/auth/get-session").want(t, 200, ""); a.Header.Get("Set-Auth-Jwt") == "" {
			t.Errorf("%d bytes of claims: a GET has no Set-Auth-Jwt", size)
		}
	}
}

// TestOversizedCookie: an access token that browsers would not keep in a cookie is refused before there is a
// session, and never set in silence.
func TestOversizedCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, "https", "")
	d := s.device(t)
	_, access, _ := s.names()
	limit := 0
	for size := 2500; size < 3000; size++ {
		a := d.withClaims(size, "?transport=cookie", "")
		if a.StatusCode == 201 {
			if c := setCookie(t, a, access); len(c.Name)+len(c.Value) > 4096 {
				t.Fatalf("%d bytes of claims: a cookie of %d bytes", size, len(c.Name)+len(c.Value))
			}
			continue
		}
		a.want(t, 400, "access_token_too_large")
		if a.text(t, "field") != "claims" || len(a.Cookies()) != 0 {
			t.Errorf("%s %v", a.body, a.Cookies())
		}
		limit = size
		break
	}
	if limit == 0 {
		t.Fatal("3,000 bytes of claims are accepted")
	}
	d.withClaims(limit, "", `,"transport":"cookie"`).want(t, 400, "access_token_too_large")
	d.withClaims(limit, "", `,"handoff":true`).want(t, 400, "access_token_too_large")
	user := "0193a1b2-0000-7000-8000-000000000001"
	before := len(listOf(t, s.fixture, user))
	d.withClaims(limit, "?transport=cookie", "").want(t, 400, "access_token_too_large")
	if after := len(listOf(t, s.fixture, user)); after != before {
		t.Errorf("a refused mint leaves %d sessions, before %d", after, before)
	}

	// A session that was minted for bearer tokens has no such limit. If a page keeps its refresh token in
	// the cookie, the access token is in the body alone.
	a := d.withClaims(limit, "", "").want(t, 201, "")
	refresh, _, _ := s.names()
	d.jar.SetCookies(d.page(authHost), []*http.Cookie{{Name: refresh, Value: a.text(t, "refresh_token"), Path: "/", Secure: true}})
	for range 2 {
		a = d.call("POST", "/v1/session/refresh").want(t, 200, "")
		if _, set := a.cookie(access); set || a.text(t, "access_token") == "" {
			t.Errorf("%v %s", a.Cookies(), a.body)
		}
	}
	if n := strings.Count(s.log.String(), "too large for a cookie"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	s.restart(t, func(c *handlers.Cookies) { c.Prefix = strings.Repeat("p", 64) })
	a = d.withClaims(limit-20, "?transport=cookie", "")
	a.want(t, 400, "access_token_too_large")
}

// listOf returns the live sessions of a user.
func listOf(t *testing.T, f *fixture, user string) []any {
	t.Helper()
	list, ok := f.call(t, "GET", "/v1/sessions?user_id="+user, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "").at(t, "sessions").([]any)
	if !ok {
		t.Fatal("no list")
	}
	return list
}
