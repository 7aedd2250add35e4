package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"issuer.example/client"
)

// The scope of a mint is in the access token and in what introspection says of both tokens.
func TestScope(t *testing.T) {
	f := newFixture(t, nil)
	mint := bearer(serviceKey(client.ScopeMint))
	body := map[string]any{"user": map[string]string{"id": "u1"}, "scope": "orders:read orders:write"}
	a := f.call(t, "POST", "/v1/sessions", body, mint).want(t, 201, "")
	for _, token := range []string{a.text(t, "access_token"), a.text(t, "refresh_token")} {
		form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
		in := f.call(t, "POST", "/oauth/introspect", "token="+token, form, bearer(serviceKey(client.ScopeIntrospect))).want(t, 200, "")
		if got := in.text(t, "scope"); got != "orders:read orders:write" {
			t.Errorf("introspection of %.3s says scope %q", token, got)
		}
	}
	metadata := f.call(t, "GET", "/.well-known/openid-configuration", nil).want(t, 200, "")
	if claims, _ := metadata.at(t, "claims_supported").([]any); !slices.Contains(claims, any("scope")) {
		t.Errorf("the metadata say that tokens have the claims %v, without scope", claims)
	}
	body["scope"] = "orders:read  orders:write"
	a = f.call(t, "POST", "/v1/sessions", body, mint).want(t, 400, "")
	if !strings.Contains(string(a.body), `"scope"`) {
		t.Errorf("a scope with two spaces: %s", a.body)
	}
}
