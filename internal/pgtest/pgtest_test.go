package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
)

// value reads one value from a database.
func value[T any](t *testing.T, dsn, query string) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func TestShared(t *testing.T) {
	dsn := pgtest.Shared(t).Database(t)
	if got := value[string](t, dsn, "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("encoding %s", got)
	}
	if again := pgtest.Shared(t).Database(t); again == dsn {
		t.Errorf("the same database twice: %s", again)
	}
}

func TestStopAndStartAgain(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{"max_connections": "17"})
	dsn := s.DSN("postgres")
	if got := value[string](t, dsn, "SHOW max_connections"); got != "17" {
		t.Errorf("max_connections %s", got)
	}
	if got := value[string](t, dsn, "SHOW fsync"); got != "on" {
		t.Errorf("fsync %s", got)
	}
	s.Exec(t, "postgres", "CREATE TABLE kept (n int)")
	for n, end := range map[int]func(testing.TB){1: s.Kill, 2: s.Stop, 3: s.Restart} {
		s.Exec(t, "postgres", "INSERT INTO kept VALUES (1)")
		end(t)
		if n != 3 {
			if _, err := pgx.Connect(t.Context(), dsn); err == nil {
				t.Errorf("a server that was ended accepts a connection")
			}
			s.Start(t)
		}
	}
	if got := value[int](t, dsn, "SELECT sum(n) FROM kept"); got != 3 {
		t.Errorf("%d rows of 3", got)
	}
}
