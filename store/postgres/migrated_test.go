package postgres_test

import (
	"os/exec"
	"testing"
)

// migrate gives an empty database the schema.
func migrate(t testing.TB, dsn string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "migrations/00001_base.sql", dsn).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
}
