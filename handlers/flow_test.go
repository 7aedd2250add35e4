package handlers_test

import (
	"testing"

	"issuer.example/client"
)

func TestMintRefreshListRevoke(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	a := f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	if got := a.text(t, "session.id"); got != s.id {
		t.Fatalf("session.id = %q, want %q", got, s.id)
	}
	next := f.refresh(t, s.refresh).want(t, 200, "")
	if next.text(t, "refresh_token") == s.refresh {
		t.Fatal("the refresh token did not change")
	}
	f.call(t, "GET", "/v1/sessions", nil, bearer(s.access)).want(t, 200, "")
	f.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "session_revoked")
	f.refresh(t, next.text(t, "refresh_token")).want(t, 401, "session_revoked")
}
