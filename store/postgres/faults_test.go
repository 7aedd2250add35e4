package postgres_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/store/storetest"
)

// Operations at two issuers take effect at one moment each, or not at all, whatever happens to
// the connections with the server: also when one is lost with a commit or its answer under way.
func TestLinearWhileConnectionsFail(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]struct {
		direction pgtest.Direction
		how       pgtest.Cut
	}{
		"request lost": {pgtest.ToServer, pgtest.CutBefore},
		"answer lost":  {pgtest.ToServer, pgtest.CutAfter},
		"answer cut":   {pgtest.ToClient, pgtest.CutBefore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Shared(t)
			proxy := pgtest.NewProxy(t, server.Address())
			storetest.RunFaults(t, behind(proxy, server), 2, func(*testing.T) {
				const pieces, oneIn = 60, 6
				var passed atomic.Int64
				done := make(chan struct{})
				proxy.Set(cut.direction, pgtest.Traffic{Watch: func([]byte) pgtest.Cut {
					n := passed.Add(1)
					if n == pieces {
						close(done)
					}
					if n < pieces && rand.IntN(oneIn) == 0 {
						return cut.how
					}
					return pgtest.NoCut
				}})
				select {
				case <-done:
				case <-time.After(time.Second): // the clients have finished
				}
				proxy.Set(cut.direction, pgtest.Traffic{})
			})
		})
	}
}

// behind makes stores whose issuers reach the server through a proxy.
func behind(proxy *pgtest.Proxy, server *pgtest.Server) storetest.Harness {
	return func(t testing.TB) storetest.Instance {
		t.Helper()
		d := newDatabase(t, server)
		d.config.DSN = proxy.DSN(d.name)
		return d
	}
}

// The server is killed and started again while two issuers work.
func TestLinearWhileServerIsKilled(t *testing.T) {
	t.Parallel()
	server, written := pgtest.Start(t, nil), make(chan struct{})
	harness := func(t testing.TB) storetest.Instance {
		t.Helper()
		d := newDatabase(t, server)
		d.config.DSN = server.DSN(d.name)
		d.config.Observe = func(int, time.Duration) {
			select {
			case written <- struct{}{}:
			default: // nobody waits for writes
			}
		}
		return d
	}
	storetest.RunFaults(t, harness, 2, func(t *testing.T) {
		t.Helper()
		for range 1 + rand.N(10) { // somewhere in the work of the clients
			select {
			case <-written:
			case <-time.After(time.Minute):
				t.Error("nothing was written for a minute")
				return
			}
		}
		server.Kill(t)
		server.Start(t)
	})
}
