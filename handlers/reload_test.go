package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"issuer.example/client"
	"issuer.example/handlers"
)

// Service keys, origins and proxies change together, when the preparation is committed and no
// earlier; the count of failures goes on.
func TestPrepare(t *testing.T) {
	f := newFixture(t, nil)
	server, cfg := f.server, f.set.http
	s := f.mint(t, "u1")
	const other, text = "https://other.test", "sk_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	before := func() {
		t.Helper()
		f.call(t, "GET", "/v1/session", nil, bearer(s.access), header("Origin", other)).wantHeader(t, "Access-Control-Allow-Origin", "")
		f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(text)).want(t, 401, "token_invalid")
		f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	}
	before()
	cfg.AllowedOrigins = []string{other}
	cfg.ServiceKeys = []client.Key{{Name: "next", SHA256: client.HashKey(text), Scopes: []client.Scope{client.ScopeAdmin}}}
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	commit, err := server.Prepare(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before()
	commit()
	f.call(t, "GET", "/v1/session", nil, bearer(s.access), header("Origin", other)).wantHeader(t, "Access-Control-Allow-Origin", other)
	f.call(t, "GET", "/v1/session", nil, bearer(s.access), header("Origin", appOrigin)).wantHeader(t, "Access-Control-Allow-Origin", "")
	f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(text)).want(t, 200, "")
	f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 401, "token_invalid")
	f.call(t, "GET", "/v1/session", nil, bearer(s.access), header("X-Request-Id", "from-a-proxy")).wantHeader(t, "X-Request-Id", "from-a-proxy")

	cfg.ServiceKeys = append(cfg.ServiceKeys, cfg.ServiceKeys[0])
	if _, err := server.Prepare(cfg); !errors.Is(err, handlers.ErrConfig) {
		t.Errorf("two keys of a name: %v", err)
	}
}

func (a answer) wantHeader(t *testing.T, name, want string) {
	t.Helper()
	if got := a.Header.Get(name); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// A new configuration does not make the issuer forget how often a source has failed.
func TestPrepareKeepsFailures(t *testing.T) {
	f := newFixture(t, nil)
	server, cfg := f.server, f.set.http
	limited := false
	for range 20 { // more than the admin listener allows
		commit, err := server.Prepare(cfg)
		if err != nil {
			t.Fatal(err)
		}
		commit()
		limited = f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(serviceKey("")+"x")).StatusCode == 429
	}
	if !limited {
		t.Error("no failure was limited")
	}
}

// Requests go on while the configuration changes, each by one configuration as a whole.
func TestPrepareUnderLoad(t *testing.T) {
	f := newFixture(t, nil)
	server, cfg := f.server, f.set.http
	var users sync.WaitGroup
	done := make(chan struct{})
	for n := range 4 {
		users.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				s := f.mint(t, fmt.Sprintf("u%d-%d", n, i))
				f.refresh(t, s.refresh).want(t, 200, "")
			}
		})
	}
	for range 50 {
		commit, err := server.Prepare(cfg)
		if err != nil {
			t.Fatal(err)
		}
		commit()
	}
	close(done)
	users.Wait()
}

// What a reload did is the answer; what is wrong with the configuration is the detail of the
// problem.
func TestReload(t *testing.T) {
	var outcome error
	f := newFixture(t, func(s *settings) {
		s.http.Reload = func(context.Context) (handlers.Reloaded, error) {
			return handlers.Reloaded{Changed: []string{"log.level"}, RestartNeeded: []string{"listen"}}, outcome
		}
	})
	admin := bearer(serviceKey(client.ScopeAdmin))
	a := f.callAdmin(t, "POST", "/admin/v1/reload", nil, admin).want(t, 200, "")
	if got := string(a.body); strings.TrimSpace(got) != `{"changed":["log.level"],"restart_needed":["listen"]}` {
		t.Errorf("answer: %s", got)
	}
	outcome = fmt.Errorf("%w: config.yaml:1: listen: is wrong\nconfig.yaml:2: also", handlers.ErrNotReloaded)
	a = f.callAdmin(t, "POST", "/admin/v1/reload", nil, admin).want(t, 409, "conflict")
	if got := a.text(t, "detail"); !strings.Contains(got, "config.yaml:1: listen: is wrong; config.yaml:2: also") {
		t.Errorf("detail: %q", got)
	}
	outcome = errors.New("canary")
	if a := f.callAdmin(t, "POST", "/admin/v1/reload", nil, admin).want(t, 500, "internal_error"); strings.Contains(string(a.body), "canary") {
		t.Errorf("answer: %s", a.body)
	}
	f.callAdmin(t, "GET", "/admin/v1/reload", nil, admin).want(t, 405, "")
}
