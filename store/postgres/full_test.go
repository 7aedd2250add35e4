package postgres

import (
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/internal/pgtest"
)

// An issuer that may have more connections than the server has left works with those that it gets.
func TestServerOutOfConnections(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Settings{"max_connections": "5", "superuser_reserved_connections": "0"})
	db := openAt(t, Config{DSN: server.SocketDSN(newDatabaseOn(t, server)), Notify: NotifyPoll})
	mustCreate(t, db, signIn("u", 0))
	const callers, rounds = 8, 10
	var (
		wg     sync.WaitGroup
		failed atomic.Int64
	)
	for n := range callers {
		wg.Go(func() {
			for range rounds {
				if _, err := db.Create(t.Context(), signIn(string(rune('a'+n)), 0)); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > callers*rounds/10 {
		t.Errorf("%d of %d sign-ins failed", n, callers*rounds)
	}
	mustCreate(t, db, signIn("u", 0))
	if err := db.Healthy(); err != nil {
		t.Error(err)
	}
}
