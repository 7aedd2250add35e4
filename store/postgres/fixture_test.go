package postgres

import (
	"log/slog"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store/storetest"
)

// newDatabase makes a database with the schema, and returns its DSN.
func newDatabase(t testing.TB) string {
	t.Helper()
	server := pgtest.Shared(t)
	return server.SocketDSN(newDatabaseOn(t, server))
}

// newDatabaseOn makes a database with the schema, and returns its name.
func newDatabaseOn(t testing.TB, server *pgtest.Server) string {
	t.Helper()
	return server.CopyDatabase(t, server.Template(t, "migrated", func(dsn string) {
		if _, err := Migrate(t.Context(), Config{DSN: dsn}, 0); err != nil {
			t.Fatalf("migrate: %v", err)
		}
	}))
}

// openAt opens a store on a database, for as long as the test runs.
func openAt(t testing.TB, cfg Config) *DB {
	t.Helper()
	cfg.FactsKeep, cfg.Logger = storetest.Retention, slog.New(slog.DiscardHandler)
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}
