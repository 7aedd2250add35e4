package handlers_test

import (
	"testing"

	"issuer.example/client"
	"issuer.example/fact"
)

// The journal says which service key has asked for what.
func TestFactsNameTheClient(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	f.call(t, "POST", "/v1/sessions/"+s.id+"/reauthenticate", nil, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	f.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	f.callAdmin(t, "POST", "/admin/v1/users/u1/revoke-sessions", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	own := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/session", nil, bearer(own.access)).want(t, 204, "")
	began, err := f.store.Head(t.Context())
	must(t, err)
	f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	facts, _, err := f.store.Facts(t.Context(), 0, 100)
	must(t, err)
	want := map[fact.Kind][]string{
		fact.Created: {"sessions-mint", "sessions-mint"}, fact.Changed: {"sessions-mint"},
		fact.Ended: {"sessions-revoke", ""}, fact.Marked: {"admin"},
	}
	for _, fa := range facts {
		by, ok := want[fa.Kind]
		if !ok {
			if fa.Kind == fact.KeyChanged && fa.Number > began && fa.By != "admin" {
				t.Errorf("key %s by %q", fa.What, fa.By)
			}
			continue
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
