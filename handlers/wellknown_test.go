package handlers_test

import (
	"errors"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/jwt"
)

// TestJWKS is also row H16: the bytes do not depend on the query.
func TestJWKS(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "GET", "/.well-known/jwks.json", nil).want(t, 200, "")
	etag := a.Header.Get("ETag")
	set, err := jwt.ParseJWKS(a.body)
	must(t, err)
	if _, err := jwt.NewVerifier(jwt.VerifierConfig{Issuer: testIssuer, Audience: []string{testIssuer}, Keys: set, Now: f.clock.now}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := jwt.VerifySignature(f.mint(t, "u1").access, set); err != nil {
		t.Errorf("the published keys do not verify a token: %v", err)
	}
	for _, tt := range []struct {
		path    string
		options []option
		status  int
	}{
		{"?x=y", nil, 200},
		{"?token=x&%zz", nil, 200},
		{"", []option{bearer("x")}, 200},
		{"", []option{header("Vary", "*"), header("Accept", "text/html"), header("Accept-Encoding", "gzip")}, 200},
		{"", []option{header("If-None-Match", etag)}, 304},
		{"", []option{header("If-None-Match", `"other", W/`+etag)}, 304},
		{"", []option{header("If-None-Match", "*")}, 304},
		{"", []option{header("If-None-Match", `"other"`)}, 200},
	} {
		got := f.call(t, "GET", "/.well-known/jwks.json"+tt.path, nil, tt.options...).want(t, tt.status, "")
		if tt.status == 200 && string(got.body) != string(a.body) {
			t.Errorf("%s: other bytes: %s", tt.path, got.body)
		}
		if got.Header.Get("ETag") != etag || !strings.HasPrefix(got.Header.Get("Cache-Control"), "public, max-age=") || got.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %v", tt.path, got.Header)
		}
	}
	f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	a = f.call(t, "GET", "/.well-known/jwks.json", nil, header("If-None-Match", etag)).want(t, 200, "")
	if a.Header.Get("ETag") == etag {
		t.Error("the keys have changed, the ETag has not")
	}
}

func TestMetadata(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.http.Issuer = "https://auth.example/" })
	for _, path := range []string{"openid-configuration", "oauth-authorization-server"} {
		a := f.call(t, "GET", "/.well-known/"+path, nil).want(t, 200, "")
		for member, want := range map[string]string{
			"issuer":                 "https://auth.example",
			"jwks_uri":               "https://auth.example/.well-known/jwks.json",
			"introspection_endpoint": "https://auth.example/oauth/introspect",
			"revocation_endpoint":    "https://auth.example/oauth/revoke",
		} {
			if got := a.text(t, member); got != want {
				t.Errorf("%s: %s = %q, want %q", path, member, got, want)
			}
		}
		if algs, _ := a.at(t, "id_token_signing_alg_values_supported").([]any); len(algs) != 1 || algs[0] != "ES256" {
			t.Errorf("%s: algorithms %v", path, algs)
		}
	}
	if a := f.call(t, "GET", "/openapi.yaml", nil).want(t, 200, ""); !strings.HasPrefix(string(a.body), "openapi: 3.1.0") {
		t.Errorf("openapi.yaml: %.40s", a.body)
	}
}

// TestProblems: the type of a problem document is a link to its meaning.
func TestProblems(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "GET", "/v1/session", nil).want(t, 401, "token_invalid")
	path, ok := strings.CutPrefix(a.text(t, "type"), testIssuer)
	if !ok || a.Header.Get("Content-Type") != "application/problem+json" || a.text(t, "request_id") != a.Header.Get("X-Request-Id") {
		t.Errorf("problem: %v %s", a.Header, a.body)
	}
	meaning := f.call(t, "GET", path, nil).want(t, 200, "")
	if meaning.text(t, "title") != a.text(t, "title") {
		t.Errorf("meaning: %s", meaning.body)
	}
	for _, code := range openAPI(t).Components.Schemas["Code"].Value.Enum {
		word, _ := code.(string)
		f.call(t, "GET", "/problems/"+word, nil).want(t, 200, "")
	}
	f.call(t, "GET", "/problems/nonsense", nil).want(t, 404, "not_found")
}

func TestReadiness(t *testing.T) {
	failing := errors.New("canary: disk /dev/sda1 is on fire")
	var broken error
	f := newFixture(t, func(s *settings) {
		s.http.Checks = append(s.http.Checks, handlers.Check{Name: "disk", Err: func() error { return broken }})
	})
	for _, call := range []func(testing.TB, string, string, any, ...option) answer{f.call, f.callAdmin} {
		broken = nil
		call(t, "GET", "/healthz", nil).want(t, 200, "")
		if a := call(t, "GET", "/readyz", nil).want(t, 200, ""); a.text(t, "checks.store") != "ok" || a.text(t, "checks.keys") != "ok" {
			t.Errorf("ready: %s", a.body)
		}
		broken = failing
		a := call(t, "GET", "/readyz", nil).want(t, 503, "")
		if a.text(t, "checks.disk") != "failing" || strings.Contains(string(a.body), "canary") {
			t.Errorf("not ready: %s", a.body)
		}
		call(t, "GET", "/healthz", nil).want(t, 200, "")
	}
	if !strings.Contains(f.log.String(), "canary: disk") {
		t.Error("the log does not say what is wrong")
	}
}
