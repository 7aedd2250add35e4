package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
)

// A store whose tables are gone, or not its own any more, is not healthy until they are back.
func TestTablesLost(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	id := mustCreate(t, db, signIn("u1", 0))
	exec := func(statement string) {
		t.Helper()
		if _, err := db.pool.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	exec("ALTER TABLE marks RENAME TO away")
	if _, err := db.Load(t.Context(), session.Ref{ID: id}); err == nil {
		t.Error("a session was read without the marks")
	}
	if err := db.Healthy(); err == nil {
		t.Error("it is healthy without the marks")
	}
	exec("ALTER TABLE away RENAME TO marks")
	if _, err := advance(t.Context(), db, id); err != nil {
		t.Error(err)
	}
	if err := db.Healthy(); err != nil {
		t.Errorf("after a write: %v", err)
	}
}
