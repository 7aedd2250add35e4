package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"issuer.example/client"
)

// TestIssuerWithPath: an issuer whose URL has a path answers behind a proxy that strips the path and
// behind one that passes it on. openapi.yaml describes the paths without it.
func TestIssuerWithPath(t *testing.T) {
	for _, tt := range []struct{ issuer, path string }{
		{"http://localhost:8080/auth", "/auth"},
		{"http://localhost:8080/a/b", "/a/b"},
		{"http://localhost:8080/api/auth", "/api/auth"}, // as the better-auth routes
		{"http://localhost:8080/v1", "/v1"},             // as the issuer's own routes
	} {
		t.Run(tt.path, func(t *testing.T) {
			f := newFixture(t, func(s *settings) { s.http.Issuer = tt.issuer })
			f.client.Transport = f.client.Transport.(*contract).next
			for _, prefix := range []string{"", tt.path} {
				f.useWithPrefix(t, prefix, tt.issuer, tt.path)
			}
			for _, document := range []string{"oauth-authorization-server", "openid-configuration"} {
				for _, path := range []string{
					"/.well-known/" + document, tt.path + "/.well-known/" + document, "/.well-known/" + document + tt.path,
				} {
					if a := f.call(t, "GET", path, nil).want(t, 200, ""); a.text(t, "issuer") != tt.issuer {
						t.Errorf("%s: %s", path, a.body)
					}
				}
				f.call(t, "GET", "/.well-known/"+document+"/other", nil).want(t, 404, "")
				f.call(t, "GET", "/.well-known/"+document+tt.path+"/x", nil).want(t, 404, "")
				f.call(t, "GET", "/.well-known/"+document+tt.path+"%2F", nil).want(t, 404, "")
			}
			for _, path := range []string{tt.path, tt.path + "x/openapi.yaml", tt.path + "//openapi.yaml", tt.path + "/%6Fpenapi.yaml/x", tt.path + tt.path + "/openapi.yaml", "/x" + tt.path + "/openapi.yaml"} {
				f.call(t, "GET", path, nil).want(t, 404, "")
			}
			// The admin listener is no part of the issuer's URL.
			f.callAdmin(t, "GET", tt.path+"/healthz", nil).want(t, 404, "")
		})
	}
}

// useWithPrefix uses the issuer as a browser and a backend do, with a prefix before every path.
func (f *fixture) useWithPrefix(t *testing.T, prefix, issuer, path string) {
	t.Helper()
	for _, public := range []string{"/.well-known/jwks.json", "/healthz", "/openapi.yaml", "/api/auth/ok", "/problems/not_found"} {
		f.call(t, "GET", prefix+public, nil).want(t, 200, "")
	}
	if problem := f.call(t, "GET", prefix+"/v1/session", nil).want(t, 401, ""); problem.text(t, "type") != issuer+"/problems/token_invalid" {
		t.Errorf("problem: %s", problem.body)
	}
	mint := func() answer {
		return f.call(t, "POST", prefix+"/v1/sessions", `{"user":{"id":"u1"}}`, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	}
	first, second := mint(), mint()
	// Parameters of paths are those behind the prefix.
	f.call(t, "GET", prefix+"/v1/sessions/"+first.text(t, "session.id"), nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")

	signedIn := cookie(refreshCookie, first.text(t, "refresh_token"))
	back := appOrigin + "/settings"
	page := string(f.call(t, "GET", prefix+"/account/sessions?return_to="+url.QueryEscape(back), nil, signedIn).want(t, 200, "").body)
	links := regexp.MustCompile(`(?:href|action)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 4 {
		t.Fatalf("the page has few links:\n%s", page)
	}
	for _, link := range links {
		if link[1] != back && !strings.HasPrefix(link[1], path+"/account/") {
			t.Errorf("with the prefix %q the page leads to %s", prefix, link[1])
		}
	}
	sheet := regexp.MustCompile(`href="([^"]+\.css)"`).FindStringSubmatch(page)
	f.call(t, "GET", prefix+strings.TrimPrefix(sheet[1], path), nil).want(t, 200, "")

	form := url.Values{"id": {second.text(t, "session.id")}, "return_to": {back}}
	moved := f.call(t, "POST", prefix+"/account/sessions/revoke", form.Encode(), signedIn, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://localhost:8080")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}).want(t, 303, "")
	if got, want := moved.Header.Get("Location"), path+"/account/sessions?return_to="+url.QueryEscape(back); got != want {
		t.Errorf("redirects to %s, want %s", got, want)
	}
	f.refresh(t, second.text(t, "refresh_token")).want(t, 401, "")
}

// TestReturnToAnApp: the link back may lead to an app whose origin is allowed.
func TestReturnToAnApp(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.AllowedOrigins = []string{"capacitor://localhost", "https://*.preview.example.com"}
	})
	s := f.mint(t, "u1")
	for target, allowed := range map[string]bool{
		"capacitor://localhost/settings":            true,
		"https://pr-7.preview.example.com/x?a=b":    true,
		"https://a.b.preview.example.com/":          false,
		"https://pr-7.preview.example.com:444/":     false,
		"https://evil.example/.preview.example.com": false,
		"https://x@pr-7.preview.example.com/":       false,
		"ionic://localhost/":                        false,
		"javascript:alert(1)":                       false,
		"javascript://localhost/%0aalert(1)":        false,
	} {
		a := f.call(t, "GET", "/account/sessions?return_to="+url.QueryEscape(target), nil, cookie(refreshCookie, s.refresh))
		linked := strings.Contains(string(a.body), `href="`+target+`"`)
		if want := map[bool]int{true: 200, false: 400}[allowed]; a.StatusCode != want || linked != allowed {
			t.Errorf("%s: %d, linked: %v", target, a.StatusCode, linked)
		}
	}
}
