package postgres

import (
	"log/slog"
	"os"
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
	name := server.NewDatabase(t)
	schema, err := os.ReadFile("migrations/00001_base.sql")
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, name, string(schema))
	return name
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
