package guard_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/internal/memnet"
	"issuer.example/internal/relay"
	"issuer.example/jwt"
)

// behind starts a relay in front of the issuer, in memory, and a guard behind it.
func behind(t *testing.T, iss *guardtest.Issuer, row relay.Row, changes ...func(*guard.Config)) (*relay.Relay, *guard.Guard) {
	t.Helper()
	issuer, err := url.Parse(iss.URL())
	if err != nil {
		t.Fatal(err)
	}
	r := relay.New(row, issuer, iss.Config().HTTPClient.Transport)
	listener := memnet.Listen("127.0.0.1:81")
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: r}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	changes = append(changes, quiet, func(c *guard.Config) { c.HTTPClient = &http.Client{Transport: listener.Transport()} })
	return r, iss.Guard(t, changes...)
}

// What testdata/relays.json says holds for a guard, whatever a relay does.
func TestRelays(t *testing.T) {
	t.Parallel()
	table, err := relay.Load("../testdata/relays.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table.Rows {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { observe(t, table, row) })
		})
	}
}

// observe looks at a guard behind a relay four times a second.
func observe(t *testing.T, table *relay.Table, row relay.Row) {
	t.Helper()
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	iss := guardtest.New(t, guardtest.Config{InMemory: true})
	gone := iss.Mint(t, jwt.Claims{})
	begin := time.Now()
	r, g := behind(t, iss, row, func(c *guard.Config) { c.MaxStaleness = seconds(float64(table.MaxStaleness)) })
	var revoked time.Time
	end := begin.Add(seconds(float64(table.Observe)))
	for ; time.Now().Before(end); <-time.After(seconds(0.25)) {
		elapsed := time.Since(begin)
		if within := row.Must.FreshWithin; within != nil && elapsed >= seconds(*within) && g.Stats().Stale {
			t.Errorf("stale after %s: %v", elapsed, g.Stats().Feed.Err)
		}
		if revoked.IsZero() && elapsed >= seconds(float64(table.Observe)/2) {
			iss.Revoke(t, gone)
			revoked = time.Now()
		}
		if within := row.Must.RevokedWithin; within != nil && !revoked.IsZero() && time.Since(revoked) >= seconds(*within) {
			if _, err := g.Verify(t.Context(), gone); !errors.Is(err, guard.ErrRevoked) {
				t.Errorf("%s after the revocation: %v", time.Since(revoked), err)
			}
		}
	}
	if row.Must.FreshWithin == nil && !g.Stats().Stale {
		t.Error("the list is fresh at the end")
	}
	c := r.Counts()
	if c.SnapshotsPerSecond > row.Must.SnapshotsPerSecond || c.Snapshots > row.Must.Snapshots || c.StreamsPerSecond > row.Must.StreamsPerSecond {
		t.Errorf("%+v", c)
	}
	t.Logf("%+v", c)
}
