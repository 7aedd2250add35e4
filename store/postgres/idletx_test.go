package postgres

import (
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
)

// A connection that the server ends in a transaction, because its issuer stood still, is no failure.
func TestIdleTransactionEnds(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := newDatabaseOn(t, server)
	db := openAt(t, Config{DSN: server.SocketDSN(name) + "&idle_in_transaction_session_timeout=20"})
	id := mustCreate(t, db, signIn("u1", 0))
	stood := false
	at := session.Target{Ref: session.Ref{ID: id}, Holder: id}
	_, err := db.Change(t.Context(), at, func(s, _ session.Snapshot) (session.Change, error) {
		if !stood {
			stood = true
			server.Await(t, "postgres", "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '"+name+"' AND state = 'idle in transaction'")
		}
		s.State.Generation++
		return session.Change{State: &s.State}, nil
	})
	if err != nil || generation(t, db, id) != 1 {
		t.Errorf("the change was made %d times, %v", generation(t, db, id), err)
	}
}
