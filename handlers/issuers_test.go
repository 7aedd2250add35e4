package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/feed"
	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/keys"
)

// route is the way from guards to the issuer that they reach at the moment.
type route struct {
	client *http.Client

	mu    sync.Mutex
	to    string // an address
	conns []net.Conn
}

func newRoute(t *testing.T, to *fixture) *route {
	t.Helper()
	r := &route{}
	r.use(to)
	transport := &http.Transport{DialContext: r.dial}
	t.Cleanup(transport.CloseIdleConnections)
	r.client = &http.Client{Transport: transport}
	return r
}

func (r *route) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, r.to)
	if err == nil {
		r.conns = append(r.conns, conn)
	}
	return conn, err
}

// use cuts all connections, and leads to another issuer.
func (r *route) use(f *fixture) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = f.public.Listener.Addr().String()
	for _, conn := range r.conns {
		_ = conn.Close() // it may be closed already
	}
	r.conns = nil
}

// guards returns verifiers that follow the feed on a route.
func (f *fixture) guards(t *testing.T, by *route, n int) []*guard.Guard {
	t.Helper()
	all := make([]*guard.Guard, n)
	for i := range all {
		var err error
		all[i], err = guard.New(t.Context(), guard.Config{
			Issuer: testIssuer, Audience: []string{testIssuer}, ServiceKey: serviceKey(client.ScopeReadRevocations),
			Name: fmt.Sprint("v", i), HTTPClient: by.client, Now: f.clock.now, Logger: slog.New(slog.DiscardHandler),
		})
		must(t, err)
		t.Cleanup(func() { must(t, all[i].Close()) })
	}
	for _, g := range all {
		guardtest.Until(t, func() bool { return g.Stats().Connected })
	}
	return all
}

// wantRevoked waits until each guard refuses a token as revoked.
func wantRevoked(t *testing.T, guards []*guard.Guard, token string) {
	t.Helper()
	for _, g := range guards {
		guardtest.Until(t, func() bool {
			_, err := g.Verify(t.Context(), token)
			return errors.Is(err, guard.ErrRevoked)
		})
	}
}

// polled is a journal that tells nobody what others write: it has to be looked at.
type polled struct{ feed.Log }

func (polled) Watch(ctx context.Context) <-chan struct{} {
	changed := make(chan struct{})
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
			select {
			case changed <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	return changed
}

// TestRevokeReachesGuardsOfTheOther: what one issuer revokes reaches the verifiers that follow the other.
func TestRevokeReachesGuardsOfTheOther(t *testing.T) {
	for name, log := range map[string]func(feed.Log) feed.Log{
		"told":   func(l feed.Log) feed.Log { return l },
		"polled": func(l feed.Log) feed.Log { return polled{l} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newFixture(t, nil)
			b := a.beside(t, nil)
			hub, err := feed.New(feed.Config{Issuer: testIssuer, Log: log(a.store), Signer: b.keys, Now: a.clock.now})
			must(t, err)
			b = b.with(t, hub)
			guards := a.guards(t, newRoute(t, b), 3)
			for range 5 {
				s := a.mint(t, "u1")
				for _, g := range guards {
					_, err := g.Verify(t.Context(), s.access)
					must(t, err)
				}
				a.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
				wantRevoked(t, guards, s.access)
			}
		})
	}
}

// TestGuardsMoveBetweenIssuers: a verifier that loses its issuer resumes at another one by number, also if
// that one has not read the journal for a while. It needs no snapshot and misses nothing.
func TestGuardsMoveBetweenIssuers(t *testing.T) {
	t.Parallel()
	a := newFixture(t, nil)
	b := a.beside(t, nil)
	unread, err := feed.New(feed.Config{Issuer: testIssuer, Log: silent{a.store}, Signer: b.keys, Now: a.clock.now})
	must(t, err)
	b = b.with(t, unread)
	way := newRoute(t, a)
	guards := a.guards(t, way, 3)
	const moves = 3
	for n := range moves {
		s := a.mint(t, "u1")
		if n%2 == 0 { // they follow a
			a.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
			wantRevoked(t, guards, s.access)
		}
		a.clock.add(time.Second) // what comes next is newer
		way.use([]*fixture{b, a}[n%2])
		if n%2 == 1 { // nobody has told b
			b.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
			wantRevoked(t, guards, s.access)
		}
		for _, g := range guards {
			guardtest.Until(t, func() bool { s := g.Stats(); return s.Connections == uint64(n+2) && s.Connected })
		}
	}
	for _, g := range guards {
		if s := g.Stats(); s.Snapshots != 1 || s.Rollbacks != 0 || s.Seq != moves {
			t.Errorf("%d snapshots, %d rollbacks, number %d", s.Snapshots, s.Rollbacks, s.Seq)
		}
	}
}

// silent is a journal that never says that something was added.
type silent struct{ feed.Log }

func (silent) Watch(context.Context) <-chan struct{} { return nil }

// TestEmergencyBesideAnIssuerThatIsBehind: a verifier that learns of an emergency fetches the keys from an
// issuer that has not noticed it. It is given the keys without the stolen one.
func TestEmergencyBesideAnIssuerThatIsBehind(t *testing.T) {
	a := newFixture(t, nil)
	b := a.beside(t, nil)
	guards := a.guards(t, newRoute(t, b), 3)
	stolen := a.keys.List()[0].ID
	a.callAdmin(t, "DELETE", "/admin/v1/keys/"+stolen+"?reason=stolen", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 204, "")
	for _, g := range guards {
		guardtest.Until(t, func() bool {
			ids := g.Stats().KeyIDs
			return len(ids) == 1 && !slices.Contains(ids, stolen)
		})
	}
	listed := b.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	if state := listed.at(t, "keys").([]any)[0].(map[string]any)["state"]; state != string(keys.Gone) {
		t.Errorf("the other issuer lists it as %v", state)
	}
}
