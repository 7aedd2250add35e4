package postgres

import (
	"sync"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/revocation"
	"issuer.example/session"
)

// While the row of one user is locked, however many sign-ins and revocations of that user wait for it, others go on.
func TestBusyUserKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := newDatabaseOn(t, server)
	db := openAt(t, Config{DSN: server.SocketDSN(name), MaxConnections: 4})
	mustCreate(t, db, signIn("busy", 0))
	other := mustCreate(t, db, signIn("other", 0))

	blocker := connect(t, server.SocketDSN(name))
	tx := beginTx(t, blocker)
	if err := lockUser(t.Context(), tx, "busy"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() {
			var err error
			if n%2 == 0 {
				_, err = db.Create(t.Context(), signIn("busy", n))
			} else {
				_, err = db.Mark(t.Context(), over(revocation.UserScope("busy"), begin()))
			}
			if err != nil {
				t.Errorf("of the busy user: %v", err)
			}
		})
	}
	server.Await(t, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '"+name+"' AND wait_event_type = 'Lock'")
	for range 20 {
		mustCreate(t, db, signIn("other", 0))
		if _, err := db.Load(t.Context(), session.Ref{ID: other}); err != nil {
			t.Error(err)
		}
	}
	commit(t, tx)
	wg.Wait()
}
