package handlers_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/secret"
)

const (
	authHost = "auth.example.localhost"
	evilHost = "evil.example.localhost"
)

// site is an issuer at authHost, whose configuration can change.
type site struct {
	*fixture
	scheme string
	base   string // the path of the issuer's URL, which a proxy strips
	server *httptest.Server
	cookie handlers.Cookies
}

func newSite(t *testing.T, scheme, domain string) *site {
	t.Helper()
	return newSiteAt(t, scheme, domain, "")
}

func newSiteAt(t *testing.T, scheme, domain, base string) *site {
	t.Helper()
	s := &site{scheme: scheme, base: base}
	s.fixture = newBetterFixture(t, func(set *settings) {
		set.http.Issuer, set.sessions.Issuer = s.url(""), s.url("")
		set.sessions.Audience = []string{s.url("")}
		set.http.Cookies.Secrets = []secret.Secret{fixtureSecret(t, "old"), fixtureSecret(t, "older")}
	})
	s.restart(t, func(c *handlers.Cookies) { c.Domain = domain })
	return s
}

func fixtureSecret(t *testing.T, text string) secret.Secret {
	t.Helper()
	s, err := secret.Parse([]byte(strings.Repeat(text+".", 20)))
	must(t, err)
	return s
}

// restart runs the same sessions with other settings of the cookies.
func (s *site) restart(t *testing.T, change func(*handlers.Cookies)) {
	t.Helper()
	change(&s.set.http.Cookies)
	s.cookie = s.set.http.Cookies
	public := http.StripPrefix(s.base, newServer(t, s.set).Public())
	if s.scheme == "https" {
		s.server = httptest.NewTLSServer(public)
	} else {
		s.server = httptest.NewServer(public)
	}
	t.Cleanup(s.server.Close)
}

func (s *site) url(path string) string { return s.origin() + s.base + path }

func (s *site) origin() string { return s.scheme + "://" + authHost }

// names are those of the session, the access and the vouching cookie.
func (s *site) names() (refresh, access, companion string) {
	if s.scheme == "http" {
		return refreshCookie, accessCookie, ""
	}
	return "__Secure-" + refreshCookie, "__Secure-" + accessCookie, "__Host-better-auth.session_mac"
}

// device is a browser: what it keeps and sends is decided by its cookie jar.
type device struct {
	t    *testing.T
	site *site
	jar  *cookiejar.Jar
}

func (s *site) device(t *testing.T) *device {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &device{t: t, site: s, jar: jar}
}

func (d *device) do(client *http.Client, method, path, body string, options ...option) answer {
	d.t.Helper()
	client.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.site.server.Listener.Addr().String())
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.site.url(path), strings.NewReader(body))
	must(d.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(r)
	}
	response, err := client.Do(r)
	must(d.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(d.t, err)
	setsOnce(d.t, response)
	return answer{Response: response, body: text}
}

// call sends what a page of the issuer's own origin sends.
func (d *device) call(method, path string) answer {
	d.t.Helper()
	return d.do(&http.Client{Jar: d.jar}, method, path, "", header("Origin", d.site.origin()), header("Sec-Fetch-Site", "same-origin"))
}

// signIn lets a backend on the issuer's host sign a user in, and returns the session's tokens.
func (d *device) signIn(user string) tokens {
	d.t.Helper()
	a := d.do(&http.Client{}, "POST", "/v1/sessions?transport=cookie", `{"user":{"id":"`+user+`"}}`, bearer(serviceKey(client.ScopeMint)))
	a.want(d.t, 201, "")
	d.jar.SetCookies(d.page(authHost), a.Cookies())
	refresh, access, _ := d.site.names()
	return tokens{
		id: a.text(d.t, "session.id"), user: user,
		refresh: setCookie(d.t, a, refresh).Value, access: setCookie(d.t, a, access).Value,
	}
}

func (d *device) page(host string) *url.URL {
	return &url.URL{Scheme: d.site.scheme, Host: host, Path: "/"}
}

// plant sets a cookie as a page of a sibling subdomain does.
func (d *device) plant(name, value, path string) {
	d.plantFor(evilHost, "example.localhost", name, value, path)
}

// plantFor sets a cookie as a page of that host does for its domain.
func (d *device) plantFor(host, domain, name, value, path string) {
	d.jar.SetCookies(d.page(host), []*http.Cookie{{
		Name: name, Value: value, Path: path, Domain: domain, Secure: d.site.scheme == "https", MaxAge: 3600,
	}})
}

// lose removes a cookie of the issuer's host alone, as a browser does with too many.
func (d *device) lose(name string) {
	d.jar.SetCookies(d.page(authHost), []*http.Cookie{{Name: name, Path: "/", MaxAge: -1, Secure: d.site.scheme == "https"}})
}

// kept are the names of the cookies that the browser would send to a path of the issuer.
func (d *device) kept(path string) []string {
	var names []string
	for _, c := range d.jar.Cookies(&url.URL{Scheme: d.site.scheme, Host: authHost, Path: path}) {
		names = append(names, c.Name)
	}
	return names
}

// userOf returns who is signed in according to an answer of one of the routes below, "" for nobody.
func userOf(t *testing.T, a answer) string {
	t.Helper()
	if string(a.body) == "null" {
		return ""
	}
	if id := a.text(t, "user.id"); id != "" {
		return id
	}
	return a.text(t, "session.user_id")
}

// whoAmI are the routes that say who is signed in.
var whoAmI = []string{
	"GET /api/auth/get-session", "POST /api/auth/get-session", "POST /v1/session/refresh", "GET /v1/session",
}

func (d *device) wantUser(user string, routes ...string) {
	d.t.Helper()
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if a := d.call(method, path).want(d.t, 200, ""); userOf(d.t, a) != user {
			d.t.Errorf("%s: %s, want user %q", route, a.body, user)
		}
	}
}

// TestSiblingPlantsSession: a page of a sibling subdomain cannot make the victim the attacker.
func TestSiblingPlantsSession(t *testing.T) {
	for _, path := range []string{"/", "/api", "/api/auth", "/api/auth/", "/api/auth/get-session", "/v1", "/v1/session"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "https", "")
			refresh, access, companion := s.names()
			d, evil := s.device(t), s.device(t)
			theirs := evil.signIn("attacker")
			mine := d.signIn("victim")
			d.plant(refresh, theirs.refresh, path)
			d.plant(access, theirs.access, path)
			d.wantUser("victim", whoAmI...)
			d.wantUser("victim", whoAmI...)
			for _, method := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
				method, route, _ := strings.Cut(method, " ")
				if a := d.call(method, route); a.StatusCode >= 300 {
					t.Errorf("%s: %d %s", route, a.StatusCode, a.body)
				}
				if kept := d.kept("/"); slices.Contains(kept, companion) {
					t.Errorf("%s leaves %v", route, kept)
				}
				s.fixture.call(t, "GET", "/v1/session", nil, bearer(mine.access)).want(t, 401, "session_revoked")
				evil.wantUser("attacker", whoAmI...)
				mine = d.signIn("victim")
				d.plant(refresh, theirs.refresh, path)
				d.wantUser("victim", whoAmI...)
			}
		})
	}
}

// TestSiblingPlantsOneToken: neither of the two cookies alone is of use to the attacker, and with the
// victim's companion a token of another session counts as none.
func TestSiblingPlantsOneToken(t *testing.T) {
	s := newSite(t, "https", "")
	refresh, access, companion := s.names()
	evil := s.device(t)
	theirs := evil.signIn("attacker")
	t.Run("access", func(t *testing.T) {
		d := s.device(t)
		d.signIn("victim")
		d.lose(access) // it has expired
		d.plant(access, theirs.access, "/")
		d.call("GET", "/v1/session").want(t, 401, "token_invalid")
		d.wantUser("victim", whoAmI...)
	})
	t.Run("refresh", func(t *testing.T) {
		d := s.device(t)
		d.signIn("victim")
		d.lose(refresh)
		d.lose(access)
		d.plant(refresh, theirs.refresh, "/api")
		d.plant(refresh, theirs.refresh, "/v1/")
		for range 2 {
			d.wantUser("", "GET /api/auth/get-session", "POST /api/auth/get-session")
			d.call("POST", "/v1/session/refresh").want(t, 401, "refresh_token_invalid")
			d.call("GET", "/api/auth/list-sessions").want(t, 401, "UNAUTHORIZED")
			if !slices.Contains(d.kept("/"), companion) {
				t.Fatal("the companion was cleared: from now on the planted session would count")
			}
			d.plant(refresh, theirs.refresh, "/api")
			d.plant(refresh, theirs.refresh, "/v1")
		}
		d.signIn("victim")
		d.wantUser("victim", whoAmI...)
	})
	t.Run("sign-out", func(t *testing.T) {
		for _, route := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
			d := s.device(t)
			d.signIn("victim")
			d.lose(refresh)
			d.lose(access)
			d.plant(refresh, theirs.refresh, "/")
			method, path, _ := strings.Cut(route, " ")
			d.call(method, path)
			if kept := d.kept("/"); len(kept) != 0 {
				t.Errorf("%s leaves %v", route, kept)
			}
		}
	})
	evil.wantUser("attacker", whoAmI...)
}

// TestSiblingFloods: many planted cookies keep nobody out.
func TestSiblingFloods(t *testing.T) {
	for scheme, first := range map[string]int{"https": 200, "http": 400} {
		t.Run(scheme, func(t *testing.T) {
			s := newSite(t, scheme, "")
			refresh, _, _ := s.names()
			d := s.device(t)
			d.signIn("victim")
			for i, path := range []string{
				"/", "/api", "/api/", "/api/auth", "/api/auth/", "/api/auth/get-session", "/api/auth/get-session/", "/v1", "/v1/", "/v1/session",
			} {
				d.plant(refresh, s.device(t).signIn("attacker"+string(rune('0'+i))).refresh, path)
			}
			d.call("GET", "/api/auth/get-session").want(t, first, "")
			d.wantUser("victim", "GET /api/auth/get-session")
		})
	}
}

// TestSiblingFloodsWithTexts: texts that are no tokens keep nobody out however many they are, those that name
// the victim's session too, and a sign-out ends the session beside them.
func TestSiblingFloodsWithTexts(t *testing.T) {
	s := newSite(t, "https", "")
	refresh, access, _ := s.names()
	paths := []string{"/v1", "/v1/", "/v1/session", "/api", "/api/", "/api/auth", "/api/auth/", "/api/auth/get-session", "/api/auth/sign-out"}
	for name, text := range map[string]func(id string) string{
		"names no session": func(string) string { return "token.signature" },
		"names the session": func(id string) string {
			return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sid":"`+id+`"}`)) + ".e30"
		},
		"names another's session": func(string) string {
			return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sid":"`+s.device(t).signIn("u2").id+`"}`)) + ".e30"
		},
	} {
		for _, lost := range []bool{false, true} {
			for _, route := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
				d := s.device(t)
				mine := d.signIn("victim")
				if lost {
					d.lose(access) // it has expired
				}
				for i := range 2 * len(paths) {
					junk := text(mine.id) + strings.Repeat("A", 4*i)
					for _, cookie := range []string{refresh, access} {
						// Another host below auth.example.localhost plants the second half.
						domain := []string{"example.localhost", authHost}[i/len(paths)]
						d.plantFor("evil."+domain, domain, cookie, junk, paths[i%len(paths)])
					}
				}
				d.wantUser("victim", "GET /api/auth/get-session")
				if !lost {
					d.wantUser("victim", "GET /v1/session")
				}
				method, path, _ := strings.Cut(route, " ")
				if a := d.call(method, path); a.StatusCode >= 300 {
					t.Errorf("%s, lost %v, %s: %d %s", name, lost, route, a.StatusCode, a.body)
				}
				s.fixture.call(t, "GET", "/v1/session", nil, bearer(mine.access)).want(t, 401, "session_revoked")
			}
		}
	}
}

// TestSiblingWithoutCompanion: without a companion the request is refused, and only what a sibling may have
// planted is cleared.
func TestSiblingWithoutCompanion(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		for _, path := range []string{"/", "/api", "/api/auth", "/api/auth/"} {
			t.Run(scheme+" "+path, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, scheme, "")
				refresh, access, companion := s.names()
				evil, d := s.device(t), s.device(t)
				theirs := evil.signIn("attacker")
				mine := d.signIn("victim")
				d.lose(companion)
				d.plant(refresh, theirs.refresh, path)
				a := d.call("GET", "/api/auth/get-session").want(t, 400, "BAD_REQUEST")
				for _, c := range a.Cookies() {
					if c.Domain != "example.localhost" || c.MaxAge >= 0 {
						t.Errorf("Set-Cookie: %s", c.Raw)
					}
				}
				if kept := d.kept("/api/auth/get-session"); !slices.Equal(kept, []string{refresh, access}) {
					t.Errorf("kept %v", kept)
				}
				d.wantUser("victim", "GET /api/auth/get-session", "POST /api/auth/get-session")
				if slices.Contains(d.kept("/"), companion) != (scheme == "https") {
					t.Errorf("kept %v after a renewal", d.kept("/"))
				}
				evil.wantUser("attacker", whoAmI...)
				s.fixture.call(t, "GET", "/v1/session", nil, bearer(mine.access)).want(t, 200, "")
			})
		}
	}
}

// TestSiblingBelowIssuerPath: what a sibling plants below the path of the issuer's URL is cleared, although
// the proxy strips that path.
func TestSiblingBelowIssuerPath(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		s := newSiteAt(t, scheme, "", "/id/auth")
		refresh, access, companion := s.names()
		theirs := s.device(t).signIn("attacker")
		for _, path := range []string{"/", "/id", "/id/auth/", "/id/auth/api/auth", "/id/auth/api/auth/get-session"} {
			d := s.device(t)
			d.signIn("victim")
			d.lose(companion)
			for name, token := range map[string]string{refresh: theirs.refresh, access: theirs.access} {
				d.plant(name, token, path)
			}
			d.call("GET", "/api/auth/get-session").want(t, 400, "BAD_REQUEST")
			if kept := d.kept("/id/auth/api/auth/get-session"); !slices.Equal(kept, []string{refresh, access}) {
				t.Errorf("%s %s: kept %v", scheme, path, kept)
			}
			d.wantUser("victim", "GET /api/auth/get-session")
		}
	}
}

// TestSiblingPlantsCache: a planted cookie cache does not stay beside the user's own.
func TestSiblingPlantsCache(t *testing.T) {
	s := newSite(t, "https", "")
	cache := "__Secure-" + cacheCookie
	evil, d := s.device(t), s.device(t)
	evil.signIn("attacker")
	evil.wantUser("attacker", "GET /api/auth/get-session")
	theirs := evil.value(cache)
	if theirs == "" {
		t.Fatal("there is no cache")
	}
	for _, path := range []string{"/", "/api", "/api/auth/"} {
		d.signIn("victim")
		d.plant(cache, theirs, path)
		d.plant(cache+".0", theirs, "/")
		for range 2 {
			d.wantUser("victim", "GET /api/auth/get-session")
		}
		var values []string
		for _, c := range d.jar.Cookies(&url.URL{Scheme: "https", Host: authHost, Path: "/api/auth/get-session"}) {
			if strings.HasPrefix(c.Name, cache) {
				values = append(values, c.Value)
			}
		}
		if len(values) != 1 || values[0] == theirs {
			t.Errorf("Path=%s: %d cookies, the attacker's among them: %v", path, len(values), slices.Contains(values, theirs))
		}
	}
}

// TestSiblingBesideBearer: a planted cookie does not disturb a page that sends a bearer token.
func TestSiblingBesideBearer(t *testing.T) {
	s := newSite(t, "https", "")
	refresh, access, _ := s.names()
	theirs, d := s.device(t).signIn("attacker"), s.device(t)
	mine := d.signIn("victim")
	d.lose(access)
	d.plant(refresh, theirs.refresh, "/")
	d.plant(access, theirs.access, "/")
	page := func(method, path, body string, options ...option) answer {
		return d.do(&http.Client{Jar: d.jar}, method, path, body, append(options, header("Origin", s.url("")))...)
	}
	for _, path := range []string{"/v1/session", "/api/auth/get-session"} {
		if a := page("GET", path, "", bearer(mine.access)).want(t, 200, ""); userOf(t, a) != "victim" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	if a := page("POST", "/v1/session/refresh", `{"refresh_token":"`+mine.refresh+`"}`).want(t, 200, ""); userOf(t, a) != "victim" {
		t.Errorf("%s", a.body)
	}
	page("GET", "/account/sessions", "").want(t, 200, "")
	page("DELETE", "/v1/session", "", bearer(mine.access)).want(t, 204, "")
	s.fixture.call(t, "GET", "/v1/session", nil, bearer(theirs.access)).want(t, 200, "")
}

// TestSignInFromAnotherHost: with cookies.domain a backend on another host signs users in, and the companion
// that the issuer's host has is that of an earlier session.
func TestSignInFromAnotherHost(t *testing.T) {
	s := newSite(t, "https", "example.localhost")
	d := s.device(t)
	d.signIn("u1")
	_, _, companion := s.names()
	elsewhere := func(user string) {
		d.t.Helper()
		a := d.do(&http.Client{}, "POST", "/v1/sessions?transport=cookie", `{"user":{"id":"`+user+`"}}`, bearer(serviceKey(client.ScopeMint)))
		d.jar.SetCookies(d.page("app.example.localhost"), a.want(t, 201, "").Cookies())
	}
	for _, user := range []string{"u2", "u1", "u3"} {
		before := d.value(companion)
		elsewhere(user)
		d.wantUser(user, "GET /api/auth/get-session", "GET /v1/session")
		if d.value(companion) != before {
			t.Error("the companion is set by a reading")
		}
		d.wantUser(user, whoAmI...)
		if d.value(companion) == before {
			t.Error("the companion is that of the earlier session")
		}
	}
	elsewhere("u4")
	d.call("DELETE", "/v1/session").want(t, 204, "")
	if kept := d.kept("/"); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
	// A longer path does not help a sibling, here neither.
	refresh, _, _ := s.names()
	d.signIn("u1")
	d.plant(refresh, s.device(t).signIn("attacker").refresh, "/api/auth")
	d.wantUser("u1", whoAmI...)
}

// TestCompanion: what is no companion of ours counts as none, and one under an older secret counts.
func TestCompanion(t *testing.T) {
	s := newSite(t, "https", "")
	refresh, _, companion := s.names()
	theirs, d := s.device(t).signIn("attacker"), s.device(t)
	d.signIn("victim")
	var value string
	for _, c := range d.jar.Cookies(d.page(authHost)) {
		if c.Name == companion {
			value = c.Value
		}
	}
	both := func(companion ...string) answer {
		options := []option{cookie(refresh, theirs.refresh), cookie(refresh, d.value(refresh))}
		for _, c := range companion {
			options = append(options, cookie("__Host-better-auth.session_mac", c))
		}
		return s.device(t).do(&http.Client{}, "GET", "/api/auth/get-session", "", options...)
	}
	flipped := []byte(value)
	flipped[30] ^= 1
	for name, tt := range map[string]struct {
		companion []string
		want      int
	}{
		"ours": {[]string{value}, 200}, "ours twice": {[]string{value, value}, 200}, "none": {nil, 400},
		"empty": {[]string{""}, 400}, "cut": {[]string{value[:63]}, 400}, "longer": {[]string{value + "A"}, 400},
		"changed": {[]string{string(flipped)}, 400}, "another beside it": {[]string{value, value[:63] + "_"}, 400},
		"large": {[]string{strings.Repeat("A", 4000)}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			if a := both(tt.companion...).want(t, tt.want, ""); tt.want == 200 && userOf(t, a) != "victim" {
				t.Errorf("%s", a.body)
			}
		})
	}
	t.Run("many planted", func(t *testing.T) {
		var options []option
		for i := range 20 {
			options = append(options, cookie(refresh, "rt_"+strings.Repeat("A", i)), cookie(refresh, s.device(t).signIn("attacker").refresh))
		}
		options = append(options, cookie(refresh, d.value(refresh)))
		s.device(t).do(&http.Client{}, "GET", "/api/auth/get-session", "", options...).want(t, 400, "BAD_REQUEST")
		a := s.device(t).do(&http.Client{}, "GET", "/api/auth/get-session", "", append(options, cookie(companion, value))...).want(t, 200, "")
		if userOf(t, a) != "victim" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("secrets overlap", func(t *testing.T) {
		s.restart(t, func(c *handlers.Cookies) {
			c.Secrets = []secret.Secret{fixtureSecret(t, "new"), fixtureSecret(t, "old")}
		})
		both(value).want(t, 200, "")
		d.wantUser("victim", "POST /api/auth/get-session")
		if renewed := d.value(companion); renewed == value || len(renewed) != len(value) {
			t.Errorf("the companion after a renewal: %q", renewed)
		}
		s.restart(t, func(c *handlers.Cookies) { c.Secrets = []secret.Secret{fixtureSecret(t, "new")} })
		both(value).want(t, 400, "")
		d.wantUser("victim", whoAmI...)
	})
}

// value returns the value of a cookie of the issuer's host.
func (d *device) value(name string) string {
	for _, c := range d.jar.Cookies(d.page(authHost)) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// TestCookieScopes: a browser with a live cookie of an earlier cookies.domain stays signed in, signs in anew,
// and signs out.
func TestCookieScopes(t *testing.T) {
	domains := []string{"", authHost, "example.localhost"}
	for _, scheme := range []string{"http", "https"} {
		for _, from := range domains {
			for _, to := range domains {
				if to == from {
					continue
				}
				for _, again := range []string{"", "u1", "u2"} {
					t.Run(scheme+" from "+from+" to "+to+" "+again, func(t *testing.T) {
						t.Parallel()
						testCookieScope(t, newSite(t, scheme, from), to, again)
					})
				}
			}
		}
	}
}

// testCookieScope signs u1 in, changes cookies.domain and signs in anew, unless again is "".
func testCookieScope(t *testing.T, s *site, to, again string) {
	for _, route := range []string{"DELETE /v1/session", "POST /api/auth/sign-out"} {
		d, user := s.device(t), "u1"
		d.signIn("u1")
		s.restart(t, func(c *handlers.Cookies) { c.Domain = to })
		d.wantUser("u1", "GET /api/auth/get-session", "GET /v1/session")
		if again != "" {
			user = again
			s.advance(t, 1)
			d.signIn(user)
		}
		d.wantUser(user, whoAmI...)
		d.wantUser(user, whoAmI...)
		refresh, access, _ := s.names()
		for _, name := range []string{refresh, access} {
			if n := strings.Count(strings.Join(d.kept("/"), " "), name); n != 1 {
				t.Errorf("%d cookies %s: %v", n, name, d.kept("/"))
			}
		}
		method, path, _ := strings.Cut(route, " ")
		if a := d.call(method, path); a.StatusCode >= 300 {
			t.Errorf("%s: %d %s", route, a.StatusCode, a.body)
		}
		if kept := d.kept("/"); len(kept) != 0 {
			t.Errorf("%s leaves %v", route, kept)
		}
	}
}
