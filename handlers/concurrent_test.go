package handlers_test

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"issuer.example/handlers"
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
			a := f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), own())
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
	f.call(t, "POST", "/v1/users/u1/revoke-sessions", nil, bearer(serviceKey(handlers.ScopeRevoke))).want(t, 200, "")
	close(revoked)
	clients.Wait()
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.7", "10.0.0.1, 203.0.113.7", "::1", "x", ",", "1.2.3.4:5", "fe80::1%eth0"} {
		f.Add(seed)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, forwarded string) {
		r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {forwarded}}}
		client := handlers.ClientAddress(trusted, r)
		if !client.IsValid() || client.Zone() != "" {
			t.Errorf("%q gives %v", forwarded, client)
		}
		r.RemoteAddr = "203.0.113.9:1"
		if client := handlers.ClientAddress(trusted, r); client != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("a stranger who says %q is taken for %v", forwarded, client)
		}
	})
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{"localhost", "a", "127.0.0.1:80", "[::1]", "x.local", ":", "[", "a..b", "evil.example:80:80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		// Whatever stands before it, a name under a public domain is not ours.
		if handlers.KnownHost("https://auth.example.com", host+".evil.com") {
			t.Errorf("%q is known", host+".evil.com")
		}
		if handlers.KnownHost("https://auth.example.com", host) && strings.HasSuffix(host, "evil.com") {
			t.Errorf("%q is known", host)
		}
	})
}
