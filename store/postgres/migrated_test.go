package postgres_test

import (
	"testing"

	"issuer.example/store/postgres"
)

// migrate gives an empty database the schema.
func migrate(t testing.TB, dsn string) {
	t.Helper()
	if _, err := postgres.Migrate(t.Context(), postgres.Config{DSN: dsn}, 0); err != nil {
		t.Fatalf("migrate: %v", err)
	}
}
