package handlers_test

import (
	"net/http"
	"sync"
	"testing"

	"issuer.example/client"
)

// TestParallelTabs is row R02 over HTTP: many tabs with one cookie are all served, and all
// get the same next cookie.
func TestParallelTabs(t *testing.T) {
	f := newFixture(t, nil)
	refresh, _ := f.mintCookies(t, "u1")
	var (
		tabs sync.WaitGroup
		mu   sync.Mutex
		next = map[string]int{}
	)
	for range 64 {
		tabs.Go(func() {
			a := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromIssuerPage())
			c, _ := a.cookie(refreshCookie)
			mu.Lock()
			defer mu.Unlock()
			if a.StatusCode != http.StatusOK || c == nil {
				t.Errorf("%d %s", a.StatusCode, a.body)
				return
			}
			next[c.Value]++
		})
	}
	tabs.Wait()
	if len(next) != 1 {
		t.Errorf("%d different successors, want 1", len(next))
	}
}

// TestRevokeBesideRefreshes: once a revoke is answered, no refresh succeeds.
func TestRevokeBesideRefreshes(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	var (
		clients sync.WaitGroup
		revoked = make(chan struct{})
	)
	for range 16 {
		clients.Go(func() {
			for {
				var after bool
				select {
				case <-revoked:
					after = true
				default:
				}
				a := f.refresh(t, s.refresh)
				if after {
					if a.StatusCode != http.StatusUnauthorized {
						t.Errorf("after the revoke: %d %s", a.StatusCode, a.body)
					}
					return
				}
			}
		})
	}
	f.call(t, "POST", "/v1/users/u1/revoke-sessions", nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 200, "")
	close(revoked)
	clients.Wait()
}
