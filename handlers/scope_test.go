package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/fact"
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

// The journal says which service key has asked for what.
func TestFactsNameTheClient(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	f.call(t, "POST", "/v1/sessions/"+s.id+"/reauthenticate", nil, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	f.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	f.callAdmin(t, "POST", "/admin/v1/users/u1/revoke-sessions", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	own := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/session", nil, bearer(own.access)).want(t, 204, "")
	facts, _, err := f.store.Facts(t.Context(), 0, 100)
	must(t, err)
	want := map[fact.Kind][]string{
		fact.Created: {"sessions-mint", "sessions-mint"}, fact.Changed: {"sessions-mint"},
		fact.Ended: {"sessions-revoke", ""}, fact.Marked: {"admin"},
	}
	for _, fa := range facts {
		by, ok := want[fa.Kind]
		if !ok {
			continue // of the signing keys
		}
		if len(by) == 0 || fa.By != by[0] {
			t.Errorf("%s %s by %q, want %v", fa.Kind, fa.What, fa.By, by)
			continue
		}
		want[fa.Kind] = by[1:]
	}
	for kind, missing := range want {
		if len(missing) > 0 {
			t.Errorf("%s by %v is not in the journal", kind, missing)
		}
	}
}
