package handlers_test

import (
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/session"
)

// signOutRoutes sign out by a bearer token.
var signOutRoutes = []string{"DELETE /v1/session", "POST /api/auth/sign-out"}

// state returns why a session has ended; "" while it is live.
func (f *fixture) state(t *testing.T, id string) string {
	t.Helper()
	return f.call(t, "GET", "/v1/sessions/"+id, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "").text(t, "session.end_reason")
}

// TestSignOutByOldToken: a token with a good signature ends its session, however old it is and whether it
// was superseded or is for another service.
func TestSignOutByOldToken(t *testing.T) {
	for _, route := range signOutRoutes {
		method, path, _ := strings.Cut(route, " ")
		for name, age := range map[string]time.Duration{"fresh": 0, "just expired": 5*time.Minute + time.Millisecond, "days": 3 * 24 * time.Hour} {
			t.Run(route+", "+name, func(t *testing.T) {
				f := newBetterFixture(t, nil)
				byAccess, byRefresh, other := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1")
				newest := byRefresh.refresh
				for range 3 { // it is three generations behind afterwards
					newest = f.refresh(t, newest).want(t, 200, "").text(t, "refresh_token")
				}
				forAPI := f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"audience":["https://api.example"]}`,
					bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
				f.advance(t, age)
				for range 2 { // repeating it is a success
					f.call(t, method, path, nil, bearer(byAccess.access))
					f.call(t, method, path, nil, bearer(byRefresh.refresh))
					f.call(t, method, path, nil, bearer(forAPI.text(t, "access_token")))
				}
				for _, id := range []string{byAccess.id, byRefresh.id, forAPI.text(t, "session.id")} {
					if got := f.state(t, id); got != string(session.ReasonSignOut) {
						t.Errorf("session %s: %q", id, got)
					}
				}
				if got := f.state(t, other.id); got != "" {
					t.Errorf("another session has ended: %s", got)
				}
				// Only the signature counts.
				f.call(t, method, path, nil, bearer(damaged(other.access)))
				if got := f.state(t, other.id); got != "" {
					t.Errorf("a forged token has ended a session: %s", got)
				}
				// What is old opens nothing.
				if age > 0 {
					f.call(t, "GET", "/v1/session", nil, bearer(other.access)).want(t, 401, "token_expired")
				}
			})
		}
	}
}

// TestSignOutAfterAnotherIssuerURL: tokens of the issuer's earlier URL have a good signature.
func TestSignOutAfterAnotherIssuerURL(t *testing.T) {
	f := newBetterFixture(t, nil)
	for _, route := range signOutRoutes {
		method, path, _ := strings.Cut(route, " ")
		s := f.mint(t, "u1")
		f.set.sessions.Issuer = "https://new.example"
		f.public = listen(t, newServer(t, f.set).Public())
		f.call(t, method, path, nil, bearer(s.access))
		if got := f.state(t, s.id); got != string(session.ReasonSignOut) {
			t.Errorf("%s: %q", route, got)
		}
	}
}

// TestSignOutWithoutItsKey: a token whose key is gone cannot be verified, so its session is not ended. Both
// routes say so.
func TestSignOutWithoutItsKey(t *testing.T) {
	f := newBetterFixture(t, func(s *settings) {
		s.sessions.IdleTimeout, s.sessions.AbsoluteTimeout = 400*24*time.Hour, 400*24*time.Hour
	})
	s := f.mint(t, "u1")
	kid := f.keys.List()[0].ID
	for i := 0; ; i++ {
		if _, published := f.keys.Key(kid); !published {
			break
		}
		if i == 365 {
			t.Fatal("the key is published for ever")
		}
		f.advance(t, 24*time.Hour)
	}
	a := f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 401, "token_invalid")
	if detail := a.text(t, "detail"); !strings.Contains(detail, "key") {
		t.Errorf("it does not say why: %q", detail)
	}
	a = f.call(t, "POST", "/api/auth/sign-out", nil, bearer(s.access)).want(t, 401, "UNAUTHORIZED")
	if message := a.text(t, "message"); !strings.Contains(message, "key") {
		t.Errorf("it does not say why: %q", message)
	}
	if got := f.state(t, s.id); got != "" {
		t.Errorf("the session has ended: %s", got)
	}
	f.call(t, "POST", "/api/auth/sign-out", nil, bearer(s.refresh)).want(t, 200, "")
	if got := f.state(t, s.id); got != string(session.ReasonSignOut) {
		t.Errorf("the session is %q", got)
	}
}
