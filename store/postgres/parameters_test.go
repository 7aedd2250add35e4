package postgres

import (
	"testing"

	"issuer.example/internal/pgtest"
)

// The parameters of the pool's connections bound what a statement may cost. The DSN can set others.
func TestParameters(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	dsn := server.DSN(newDatabaseOn(t, server))
	for _, c := range []struct{ dsn, want string }{
		{dsn, "5s 4s 5s off"},
		{dsn + "&jit=on&lock_timeout=250", "5s 250ms 5s on"},
	} {
		db := openAt(t, Config{DSN: c.dsn})
		var got string
		err := db.pool.QueryRow(t.Context(), `SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'),
			current_setting('idle_in_transaction_session_timeout'), current_setting('jit'))`).Scan(&got)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.dsn, got, err, c.want)
		}
	}
}
