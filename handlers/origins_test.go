package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"issuer.example/client"
)

// TestCrossOriginChanges is row R12: a change that a cookie authenticates must come from a page of the
// issuer's own or of an allowed origin.
func TestCrossOriginChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	// none stands for a header that is not sent.
	const none = ""
	verdict := func(site, origin string) bool {
		switch site {
		case "same-origin", "none":
			return true
		case none:
			return origin == testIssuer || origin == appOrigin || origin == f.public.URL
		default:
			return origin == appOrigin || origin == testIssuer
		}
	}
	for _, site := range []string{none, "same-origin", "same-site", "cross-site", "none", "garbage"} {
		for _, origin := range []string{
			none, testIssuer, appOrigin, f.public.URL, "null", "https://evil.example",
			"https://app.example.evil.example", "https://evil-app.example", "http://app.example", "https://app.example:444", "HTTPS://APP.EXAMPLE/",
		} {
			for _, request := range []struct{ method, path, contentType string }{
				{"POST", "/v1/session/refresh", ""},
				{"POST", "/v1/session/refresh", "application/json"},
				{"POST", "/v1/session/refresh", "text/plain"},
				{"POST", "/v1/session/refresh", "application/x-www-form-urlencoded"},
				{"POST", "/v1/sessions/revoke-others", "text/plain"},
				{"POST", "/v1/sessions/revoke-all", ""},
				{"DELETE", "/v1/session", ""},
				{"DELETE", "/v1/sessions/{id}", ""},
			} {
				name := fmt.Sprintf("%s %s %q site=%q origin=%q", request.method, request.path, request.contentType, site, origin)
				f.tryChange(t, name, request.method, request.path, request.contentType, site, origin, verdict(site, origin))
			}
		}
	}
}

// tryChange attempts one change by cookies alone, and checks whether the session has ended.
func (f *fixture) tryChange(t *testing.T, name, method, path, contentType, site, origin string, allowed bool) {
	t.Helper()
	user := fmt.Sprintf("u%x", len(name))
	s := f.mint(t, user)
	if path == "/v1/sessions/{id}" {
		path = "/v1/sessions/" + s.id
	}
	options := []option{cookie(refreshCookie, s.refresh), cookie(accessCookie, s.access)}
	for header, value := range map[string]string{"Sec-Fetch-Site": site, "Origin": origin} {
		if value != "" {
			options = append(options, func(r *http.Request) { r.Header.Set(header, value) })
		}
	}
	var body any
	if contentType != "" {
		body = "{}"
		options = append(options, func(r *http.Request) { r.Header.Set("Content-Type", contentType) })
	}
	a := f.call(t, method, path, body, options...)
	ok := a.StatusCode < 300
	// A body that is a form or text/plain is refused from every page: the refresh before the credential is
	// looked at, other routes afterwards.
	if readsBody := path == "/v1/session/refresh" || allowed; readsBody && contentType != "" && contentType != "application/json" {
		if a.StatusCode != 415 {
			t.Errorf("%s: %d, want 415", name, a.StatusCode)
		}
		allowed = false
	} else if !allowed && a.StatusCode != 403 {
		t.Errorf("%s: %d, want 403", name, a.StatusCode)
	}
	if ok != allowed {
		t.Errorf("%s: %d, allowed should be %v", name, a.StatusCode, allowed)
	}
	if allowed {
		return
	}
	if set := a.Header["Set-Cookie"]; len(set) != 0 {
		t.Errorf("%s: refused, yet sets %v", name, set)
	}
	if got := f.call(t, "GET", "/v1/session", nil, bearer(s.access)); got.StatusCode != 200 {
		t.Errorf("%s: refused, yet the session has changed: %s", name, got.body)
	}
}

// TestEmptyOriginHeaders: empty headers count as missing.
func TestEmptyOriginHeaders(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	for _, empty := range [][]option{
		{header("Sec-Fetch-Site", "")},
		{header("Origin", "")},
		{header("Sec-Fetch-Site", ""), header("Origin", "")},
	} {
		f.call(t, "POST", "/v1/sessions/revoke-all", nil, append(empty, cookie(accessCookie, s.access))...).want(t, 403, "forbidden")
	}
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
}

// TestChangesWithoutCookies: a credential that a page of another site cannot send needs no origin.
func TestChangesWithoutCookies(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	foreign := []option{header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")}
	f.refresh(t, s.refresh, foreign...).want(t, 200, "")
	f.call(t, "POST", "/v1/sessions/revoke-others", nil, append(foreign, bearer(s.access))...).want(t, 200, "")
	f.call(t, "DELETE", "/v1/session", nil, append(foreign, bearer(s.access))...).want(t, 204, "")
}

// TestCORS is row R14: credentials are for exact origins only, on errors too.
func TestCORS(t *testing.T) {
	f := newFixture(t, nil)
	preflight := []option{header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "content-type")}
	for _, tt := range []struct {
		origin  string
		allowed bool
	}{
		{appOrigin, true},
		{testIssuer, false}, // the issuer's own pages need no CORS
		{"null", false},
		{"https://evil.example", false},
		{"https://evil-app.example", false},
		{"https://app.example.evil.example", false},
		{"http://app.example", false},
		{"https://app.example:443", false},
		{"https://APP.example", false},
		{"", false},
	} {
		var origin []option
		if tt.origin != "" {
			origin = []option{header("Origin", tt.origin)}
		}
		for _, a := range []answer{
			f.call(t, "OPTIONS", "/v1/session/refresh", nil, append(preflight, origin...)...).want(t, 204, ""),
			f.call(t, "GET", "/v1/session", nil, origin...).want(t, 401, ""),
			f.call(t, "GET", "/nowhere", nil, origin...).want(t, 404, ""),
			f.call(t, "PUT", "/v1/session", nil, origin...).want(t, 405, ""),
			f.call(t, "POST", "/v1/session/refresh", "{}", append(origin, header("Content-Encoding", "gzip"))...).want(t, 415, ""),
		} {
			got, credentials := a.Header.Get("Access-Control-Allow-Origin"), a.Header.Get("Access-Control-Allow-Credentials")
			if want := map[bool]string{true: tt.origin}[tt.allowed]; got != want || (credentials == "true") != tt.allowed {
				t.Errorf("%s %s from %q: origin %q, credentials %q", a.Request.Method, a.Request.URL.Path, tt.origin, got, credentials)
			}
			if a.Header.Get("Vary") != "Origin" {
				t.Errorf("%s: Vary %q", a.Request.URL.Path, a.Header.Get("Vary"))
			}
		}
	}
	a := f.call(t, "GET", "/.well-known/jwks.json", nil, header("Origin", "https://evil.example")).want(t, 200, "")
	if a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the JWKS is for every page, without credentials: %v", a.Header)
	}
	// A page of an allowed origin may fetch it with credentials: include, which * does not allow.
	a = f.call(t, "GET", "/.well-known/jwks.json", nil, header("Origin", appOrigin)).want(t, 200, "")
	if a.Header.Get("Access-Control-Allow-Origin") != appOrigin || a.Header.Get("Access-Control-Allow-Credentials") != "true" || a.Header.Get("Vary") != "Origin" {
		t.Errorf("the JWKS for an allowed origin: %v", a.Header)
	}
	a = f.callAdmin(t, "GET", "/healthz", nil, header("Origin", appOrigin)).want(t, 200, "")
	if a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the admin listener shares with pages")
	}
}

// TestPreflightHeaders is row R14: a page of an allowed origin may send any header that browsers let it
// set.
func TestPreflightHeaders(t *testing.T) {
	f := newFixture(t, nil)
	const read = "Authorization, Content-Type"
	for _, tt := range []struct {
		asked []string
		want  string
	}{
		{nil, read},
		{[]string{""}, read},
		{[]string{" , ,"}, read},
		{[]string{"content-type"}, "content-type"},
		{[]string{"baggage,content-type,sentry-trace"}, "baggage, content-type, sentry-trace"},
		{[]string{"traceparent, tracestate,\tx-requested-with"}, "traceparent, tracestate, x-requested-with"},
		{[]string{"X-Amz-Date,x!#$%&'*+.^_`|~"}, "X-Amz-Date, x!#$%&'*+.^_`|~"},
		{[]string{"authorization", "x-datadog-trace-id"}, "authorization, x-datadog-trace-id"},
		{[]string{"cookie,host,x-a,Sec-Fetch-Site,proxy-authorization,origin"}, "x-a"},
		{[]string{"cookie"}, read},
		{[]string{"x-a,*"}, "x-a, *"}, // with credentials, * is a name like any other
		{[]string{"x a"}, read},
		{[]string{"x-a: b"}, read},
		{[]string{"x-é"}, read},
		{[]string{"x-" + strings.Repeat("a", 2000)}, read},
	} {
		for _, path := range []string{"/v1/session/refresh", "/api/auth/get-session", "/.well-known/jwks.json"} {
			options := []option{header("Origin", appOrigin), header("Access-Control-Request-Method", "POST")}
			for _, asked := range tt.asked {
				options = append(options, header("Access-Control-Request-Headers", asked))
			}
			a := f.call(t, "OPTIONS", path, nil, options...).want(t, 204, "")
			if got := a.Header.Get("Access-Control-Allow-Headers"); got != tt.want {
				t.Errorf("%s, asked for %q: allows %q, want %q", path, tt.asked, got, tt.want)
			}
			if got := strings.Join(a.Header.Values("Vary"), ", "); got != "Origin, Access-Control-Request-Headers" {
				t.Errorf("%s: Vary %q", path, got)
			}
		}
	}
	// A page of any origin may read the public documents, with whatever header it sends.
	asks := []option{
		header("Origin", "https://evil.example"), header("Access-Control-Request-Method", "GET"),
		header("Access-Control-Request-Headers", "traceparent"),
	}
	a := f.call(t, "OPTIONS", "/.well-known/jwks.json", nil, asks...).want(t, 204, "")
	if a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Headers") != "traceparent" ||
		a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the preflight of a public document: %v", a.Header)
	}
	a = f.call(t, "OPTIONS", "/v1/session/refresh", nil, asks...).want(t, 204, "")
	if a.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("the preflight of a foreign page: %v", a.Header)
	}
}

// TestConfiguredOrigins is row R12 with other origins than exact ones of the web: CORS, changes by
// cookie, hand-offs and the better-auth routes allow the same ones.
func TestConfiguredOrigins(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.AllowedOrigins = []string{
			appOrigin, "capacitor://localhost", "tauri://localhost", "app://.", "myapp://", "http://tauri.localhost",
			"chrome-extension://abcdefghijklmnopabcdefghijklmnop", "https://*.preview.example.com",
		}
	})
	for _, tt := range []struct {
		origin  string
		allowed bool
	}{
		{appOrigin, true},
		{"capacitor://localhost", true},
		{"tauri://localhost", true},
		{"http://tauri.localhost", true},
		{"app://.", true},
		{"myapp://", true},
		{"chrome-extension://abcdefghijklmnopabcdefghijklmnop", true},
		{"https://pr-7.preview.example.com", true},
		{"https://a.pr-7.preview.example.com", false},
		{"https://preview.example.com", false},
		{"http://pr-7.preview.example.com", false},
		{"https://pr-7.preview.example.com:8443", false},
		{"https://evilpreview.example.com", false},
		{"capacitor://localhost:1", false},
		{"ionic://localhost", false},
		{"myapp://x", false},
		{"chrome-extension://pppppppppppppppppppppppppppppppp", false},
		{"tauri.localhost", false},
		{"file://", false},
		{"null", false},
		{"ionic://" + f.public.Listener.Addr().String(), false}, // the issuer's Host, and another scheme
	} {
		for _, site := range []string{"cross-site", ""} {
			f.tryChange(t, "change from "+tt.origin+site, "POST", "/v1/session/refresh", "application/json", site, tt.origin, tt.allowed)
		}
		preflight := f.call(t, "OPTIONS", "/v1/session/refresh", nil, header("Origin", tt.origin), header("Access-Control-Request-Method", "POST")).want(t, 204, "")
		if got := preflight.Header.Get("Access-Control-Allow-Origin"); (got == tt.origin) != tt.allowed || got != "" && got != tt.origin {
			t.Errorf("%s: the preflight allows %q", tt.origin, got)
		}
		status := map[bool]int{true: 200, false: 403}[tt.allowed]
		s := f.mint(t, "u1")
		f.call(t, "POST", "/api/auth/sign-out", "{}", cookie(refreshCookie, s.refresh), header("Origin", tt.origin)).want(t, status, "")
		f.tryHandoff(t, tt.origin, tt.allowed)
	}
}

// tryHandoff hands a session off to a page of that origin.
func (f *fixture) tryHandoff(t *testing.T, origin string, allowed bool) {
	t.Helper()
	body := map[string]any{"user": map[string]any{"id": "u1"}, "handoff": true, "handoff_origin": origin}
	mint := f.call(t, "POST", "/v1/sessions", body, bearer(serviceKey(client.ScopeMint)))
	if !allowed {
		mint.want(t, 400, "invalid_request")
		delete(body, "handoff_origin")
		mint = f.call(t, "POST", "/v1/sessions", body, bearer(serviceKey(client.ScopeMint)))
	}
	mint.want(t, 201, "")
	claim := f.call(t, "POST", "/v1/session/claim", map[string]string{"handoff_code": mint.text(t, "handoff_code")}, header("Origin", origin))
	claim.want(t, map[bool]int{true: 200, false: 403}[allowed], "")
}
