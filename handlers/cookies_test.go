package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/session"
)

const (
	refreshCookie = "better-auth.session_token"
	accessCookie  = "better-auth.access_token"
)

// mintCookies creates a session whose tokens come in cookies.
func (f *fixture) mintCookies(tb testing.TB, user string) (refresh, access *http.Cookie) {
	tb.Helper()
	a := f.call(tb, "POST", "/v1/sessions?transport=cookie", map[string]any{"user": map[string]any{"id": user}},
		bearer(serviceKey(client.ScopeMint))).want(tb, 201, "")
	for _, secret := range []string{"access_token", "refresh_token"} {
		if a.at(tb, secret) != nil {
			tb.Fatalf("%s is in the body", secret)
		}
	}
	return setCookie(tb, a, refreshCookie), setCookie(tb, a, accessCookie)
}

func setCookie(tb testing.TB, a answer, name string) *http.Cookie {
	tb.Helper()
	c, ok := a.cookie(name)
	if !ok {
		tb.Fatalf("no cookie %s is set: %v", name, a.Header["Set-Cookie"])
	}
	return c
}

// setsOnce checks that an answer sets no cookie twice (RFC 6265 §4.1.1).
func setsOnce(tb testing.TB, res *http.Response) {
	tb.Helper()
	type identity struct{ name, domain, path string }
	seen := map[identity]bool{}
	for _, c := range res.Cookies() {
		id := identity{c.Name, c.Domain, c.Path}
		if seen[id] {
			tb.Errorf("%s %s sets %s twice: %v", res.Request.Method, res.Request.URL, c.Name, res.Header["Set-Cookie"])
		}
		seen[id] = true
	}
}

// cleared reports whether the answer removes both cookies.
func cleared(a answer) bool {
	for _, name := range []string{refreshCookie, accessCookie} {
		if c, ok := a.cookie(name); !ok || c.MaxAge >= 0 || c.Value != "" {
			return false
		}
	}
	return true
}

func TestCookieTransport(t *testing.T) {
	f := newFixture(t, nil)
	refresh, access := f.mintCookies(t, "u1")
	if refresh.MaxAge != int((30*24*time.Hour).Seconds()) || access.MaxAge != 300 {
		t.Errorf("Max-Age %d and %d", refresh.MaxAge, access.MaxAge)
	}
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, access.Value)).want(t, 200, "")

	f.advance(t, time.Hour)
	a := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 200, "")
	next := setCookie(t, a, refreshCookie)
	if next.Value == refresh.Value || next.MaxAge != int((30*24-1)*time.Hour/time.Second) {
		t.Errorf("the next cookie: %v", next)
	}
	if a.at(t, "refresh_token") != nil || a.text(t, "access_token") != setCookie(t, a, accessCookie).Value {
		t.Errorf("tokens in the body: %s", a.body)
	}
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, access.Value)).want(t, 401, "token_expired")

	a = f.call(t, "DELETE", "/v1/session", nil, cookie(refreshCookie, next.Value), fromIssuerPage()).want(t, 204, "")
	if !cleared(a) {
		t.Errorf("sign-out sets %v", a.Header["Set-Cookie"])
	}
	f.call(t, "DELETE", "/v1/session", nil, cookie(refreshCookie, next.Value), fromIssuerPage()).want(t, 204, "")
	a = f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, next.Value), fromIssuerPage()).want(t, 401, "session_revoked")
	if !cleared(a) {
		t.Errorf("the dead session's cookies stay: %v", a.Header["Set-Cookie"])
	}
}

func TestCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		issuer  string
		cookies handlers.Cookies
		cookie  string
		want    string
	}{
		{"http", "http://localhost:8080", handlers.Cookies{}, "better-auth.session_token", "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"https", "https://auth.example", handlers.Cookies{}, "__Secure-better-auth.session_token", "Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
		{"never", "https://auth.example", handlers.Cookies{Secure: "never"}, "better-auth.session_token", "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"always", "http://localhost:8080", handlers.Cookies{Secure: "always", SameSite: "strict"}, "__Secure-better-auth.session_token", "Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict"},
		{"host", "https://auth.example", handlers.Cookies{Secure: "host", Prefix: "x", SameSite: "none"}, "__Host-x.session_token", "Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=None"},
		{"domain", "https://auth.example.com", handlers.Cookies{Domain: "example.com"}, "__Secure-better-auth.session_token", "Path=/; Domain=example.com; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(s *settings) {
				s.http.Issuer, s.sessions.Issuer, s.http.Cookies = tt.issuer, tt.issuer, tt.cookies
			})
			a := f.call(t, "POST", "/v1/sessions", map[string]any{"user": map[string]any{"id": "u1"}, "transport": "cookie"},
				bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
			line := a.Header.Values("Set-Cookie")[0]
			nameValue, attributes, _ := strings.Cut(line, "; ")
			if name, _, _ := strings.Cut(nameValue, "="); name != tt.cookie || attributes != tt.want {
				t.Errorf("Set-Cookie: %s\nwant %s=...; %s", line, tt.cookie, tt.want)
			}
		})
	}
	for name, bad := range map[string]handlers.Cookies{
		"host with a domain":  {Secure: "host", Domain: "example.com"},
		"none without secure": {Secure: "never", SameSite: "none"},
		"unknown secure":      {Secure: "maybe"},
		"unknown same site":   {SameSite: "some"},
		"prefix with a space": {Prefix: "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			newFixture(t, func(s *settings) {
				cfg := s.http
				sessions, err := session.New(s.sessions)
				must(t, err)
				cfg.Sessions, cfg.Cookies = sessions, bad
				if _, err := handlers.New(cfg); err == nil {
					t.Error("accepted")
				}
			})
		})
	}
}

// TestRaceLoserKeepsCookies: only the end of a session clears its cookies.
func TestRaceLoserKeepsCookies(t *testing.T) {
	f := newFixture(t, nil)
	refresh, _ := f.mintCookies(t, "u1")
	first := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 200, "")
	second := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 200, "")
	if a, b := setCookie(t, first, refreshCookie).Value, setCookie(t, second, refreshCookie).Value; a != b {
		t.Error("two tabs got different successors")
	}
	must(t, f.store.Close())
	a := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 503, "unavailable")
	if len(a.Header["Set-Cookie"]) != 0 {
		t.Errorf("a failing store clears cookies: %v", a.Header["Set-Cookie"])
	}
	a = f.call(t, "DELETE", "/v1/session", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 503, "unavailable")
	if len(a.Header["Set-Cookie"]) != 0 {
		t.Errorf("a failing store clears cookies: %v", a.Header["Set-Cookie"])
	}
}

// TestReuseByCookie: a copied token ends the session and the browser's cookies.
func TestReuseByCookie(t *testing.T) {
	f := newFixture(t, nil)
	refresh, _ := f.mintCookies(t, "u1")
	a := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage()).want(t, 200, "")
	f.advance(t, time.Minute)
	f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, setCookie(t, a, refreshCookie).Value), fromIssuerPage()).want(t, 200, "")
	f.advance(t, time.Minute)
	// A forged cookie in front of the copied one does not hide it.
	a = f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, "rt_x"), cookie(refreshCookie, refresh.Value), fromIssuerPage()).
		want(t, 401, "refresh_token_reused")
	if !cleared(a) {
		t.Errorf("the cookies stay: %v", a.Header["Set-Cookie"])
	}
}

// TestPlantedCookies is row R13: cookies that a page on a sibling domain has set.
func TestPlantedCookies(t *testing.T) {
	f := newFixture(t, nil)
	mine, myAccess := f.mintCookies(t, "victim")
	theirs, theirAccess := f.mintCookies(t, "attacker")

	t.Run("a dead one beside the good one", func(t *testing.T) {
		f.call(t, "POST", "/v1/session/refresh", nil,
			cookie(refreshCookie, "rt_"+strings.Repeat("A", 64)), cookie(refreshCookie, mine.Value), fromIssuerPage()).want(t, 200, "")
		f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, "junk"), cookie(accessCookie, myAccess.Value)).want(t, 200, "")
	})
	t.Run("two sessions", func(t *testing.T) {
		for _, a := range []answer{
			f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, theirs.Value), cookie(refreshCookie, mine.Value), fromIssuerPage()),
			f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, theirAccess.Value), cookie(accessCookie, myAccess.Value)),
		} {
			if a.want(t, 400, "invalid_request"); len(a.Cookies()) != 0 {
				t.Errorf("one of them is the user's own: %v", a.Header["Set-Cookie"])
			}
		}
	})
	t.Run("names that look alike", func(t *testing.T) {
		for _, name := range []string{
			"__Secure-" + refreshCookie, "__Host-" + refreshCookie, "Better-Auth.session_token", refreshCookie + "2", "x" + refreshCookie,
		} {
			f.call(t, "POST", "/v1/session/refresh", nil, cookie(name, mine.Value), fromIssuerPage()).want(t, 401, "refresh_token_invalid")
		}
	})
	t.Run("fifty of one name", func(t *testing.T) {
		options := []option{fromIssuerPage()}
		for i := range 50 {
			options = append(options, cookie(refreshCookie, "rt_"+strings.Repeat("A", i+1)))
		}
		a := f.call(t, "POST", "/v1/session/refresh", nil, options...).want(t, 400, "invalid_request")
		if len(a.Cookies()) != 0 {
			t.Errorf("one of them may be the user's own: %v", a.Header["Set-Cookie"])
		}
		// A sign-out removes them: the user wants none.
		if a := f.call(t, "DELETE", "/v1/session", nil, options...).want(t, 400, "invalid_request"); !cleared(a) {
			t.Errorf("the cookies stay after a sign-out: %v", a.Header["Set-Cookie"])
		}
	})
	t.Run("larger than 4,096 bytes", func(t *testing.T) {
		f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, strings.Repeat("A", 5000)), fromIssuerPage()).want(t, 401, "refresh_token_invalid")
	})
	t.Run("three thousand and one", func(t *testing.T) {
		f.call(t, "GET", "/v1/session", nil, header("Cookie", strings.Repeat("a=b; ", 3000)+"a=b")).want(t, 431, "headers_too_large")
	})
	// None of this has changed anything.
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, myAccess.Value)).want(t, 200, "")
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, theirAccess.Value)).want(t, 200, "")
}

// TestSignOutOfPlantedCookies: signing out ends all sessions that the browser has tokens of, and the answer
// says that there was more than one.
func TestSignOutOfPlantedCookies(t *testing.T) {
	f := newBetterFixture(t, nil)
	for _, route := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
		method, path, _ := strings.Cut(route, " ")
		for name, names := range map[string][2]string{
			"refresh tokens":              {refreshCookie, refreshCookie},
			"access tokens":               {accessCookie, accessCookie},
			"a refresh and an access one": {refreshCookie, accessCookie},
		} {
			t.Run(route+", "+name, func(t *testing.T) {
				mine, theirs := f.mint(t, "victim"), f.mint(t, "attacker")
				text := map[string]func(tokens) string{
					refreshCookie: func(s tokens) string { return s.refresh },
					accessCookie:  func(s tokens) string { return s.access },
				}
				a := f.call(t, method, path, nil, fromAppPage(), cookie(refreshCookie, "rt_junk"),
					cookie(names[0], text[names[0]](theirs)), cookie(names[1], text[names[1]](mine)))
				if a.want(t, 400, ""); !cleared(a) {
					t.Errorf("the cookies stay: %v", a.Header["Set-Cookie"])
				}
				for _, s := range []tokens{mine, theirs} {
					f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "session_revoked")
					f.refresh(t, s.refresh).want(t, 401, "session_revoked")
				}
			})
		}
	}
	// A planted cookie cannot prevent a sign-out by bearer token either. Its own session ends if it is
	// clear that a trusted page sent it.
	for _, route := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
		method, path, _ := strings.Cut(route, " ")
		mine, theirs := f.mint(t, "victim"), f.mint(t, "attacker")
		a := f.call(t, method, path, nil, fromAppPage(), bearer(mine.access), cookie(refreshCookie, theirs.refresh))
		if a.want(t, 400, ""); !cleared(a) {
			t.Errorf("%s: the cookies stay: %v", route, a.Header["Set-Cookie"])
		}
		f.refresh(t, mine.refresh).want(t, 401, "session_revoked")
		f.refresh(t, theirs.refresh).want(t, 401, "session_revoked")
	}
	bystander := f.mint(t, "u1")
	signsOut := f.mint(t, "u2")
	f.call(t, "DELETE", "/v1/session", nil, bearer(signsOut.refresh), cookie(refreshCookie, bystander.refresh)).want(t, 400, "invalid_request")
	f.refresh(t, signsOut.refresh).want(t, 401, "session_revoked")
	f.refresh(t, bystander.refresh).want(t, 200, "")
	// A page of another site cannot end anything this way.
	mine, theirs := f.mint(t, "victim"), f.mint(t, "attacker")
	f.call(t, "DELETE", "/v1/session", nil, cookie(refreshCookie, theirs.refresh), cookie(refreshCookie, mine.refresh),
		header("Sec-Fetch-Site", "cross-site")).want(t, 403, "forbidden")
	f.call(t, "GET", "/v1/session", nil, bearer(mine.access)).want(t, 200, "")
}
