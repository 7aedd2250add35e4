package handlers_test

import (
	"fmt"
	"net/http"
	"testing"
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
	a = f.callAdmin(t, "GET", "/healthz", nil, header("Origin", appOrigin)).want(t, 200, "")
	if a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the admin listener shares with pages")
	}
}
