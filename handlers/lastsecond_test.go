package handlers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

// TestLastSecond: in the last part of a second before the end of a session, every route gives what is left
// or says that the session has ended. The clock alone never makes it fail.
func TestLastSecond(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*settings){
		"default":    nil,
		"update_age": func(s *settings) { s.sessions.Refresh.UpdateAge = s.sessions.IdleTimeout },
		"absolute":   func(s *settings) { s.sessions.AbsoluteTimeout = s.sessions.IdleTimeout },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newBetterFixture(t, change)
			for _, left := range []time.Duration{time.Millisecond, 300 * time.Millisecond, 999 * time.Millisecond, 1500 * time.Millisecond} {
				for _, redeemed := range []bool{false, true} {
					f.callBeforeEnd(t, left, redeemed)
				}
			}
		})
	}
}

// callBeforeEnd calls each route that mints a token, or that reads the session, with a session of which
// that much is left. Redeemed says that the refresh token has been redeemed before, so that using it again
// does not move the idle end.
func (f *fixture) callBeforeEnd(t *testing.T, left time.Duration, redeemed bool) {
	t.Helper()
	for _, route := range []string{
		"GET /api/auth/get-session", "GET /api/auth/get-session?disableRefresh=true", "POST /api/auth/get-session",
		"GET /api/auth/token", "GET /api/auth/list-sessions", "GET /account/sessions", "POST /v1/session/refresh",
		"POST /v1/sessions/{id}/reauthenticate",
	} {
		f.advance(t, f.clock.now().Truncate(time.Second).Add(1700*time.Millisecond).Sub(f.clock.now()))
		began := f.clock.now()
		s := f.mint(t, "u1")
		if redeemed {
			f.refresh(t, s.refresh).want(t, 200, "")
		}
		end := began.Add(f.set.sessions.IdleTimeout)
		if f.set.sessions.AbsoluteTimeout == f.set.sessions.IdleTimeout {
			end = end.Truncate(time.Second)
		}
		f.advance(t, end.Add(-left).Sub(f.clock.now()))
		method, path, _ := strings.Cut(route, " ")
		options := []option{cookie(refreshCookie, s.refresh), fromAppPage()}
		if strings.Contains(path, "{id}") {
			path = strings.ReplaceAll(path, "{id}", s.id)
			options = []option{bearer(serviceKey(client.ScopeMint))}
		}
		a := f.call(t, method, path, nil, options...)
		switch {
		case a.StatusCode == 200:
		case a.StatusCode == 401 && strings.HasPrefix(path, "/account"):
		case a.StatusCode == 401 && slices.Contains([]string{"session_idle", "session_expired", "UNAUTHORIZED"}, a.text(t, "code")):
		default:
			t.Errorf("%s, %v before the end, redeemed %v: %d %s", route, left, redeemed, a.StatusCode, a.body)
		}
	}
}
