package pgtest_test

import (
	"net"
	"testing"

	"issuer.example/internal/pgtest"
)

func TestShared(t *testing.T) {
	s := pgtest.Shared(t)
	database := s.NewDatabase(t)
	if got := s.Query(t, database, "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("encoding %s", got)
	}
	if again := pgtest.Shared(t).NewDatabase(t); again == database {
		t.Errorf("the same database twice: %s", again)
	}
}

func TestStopAndStartAgain(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{"max_connections": "17"})
	if got := s.Query(t, "postgres", "SHOW max_connections"); got != "17" {
		t.Errorf("max_connections %s", got)
	}
	if got := s.Query(t, "postgres", "SHOW fsync"); got != "on" {
		t.Errorf("fsync %s", got)
	}
	s.Exec(t, "postgres", "CREATE TABLE kept (n int)")
	for n, end := range map[int]func(testing.TB){1: s.Kill, 2: s.Stop, 3: s.Restart} {
		s.Exec(t, "postgres", "INSERT INTO kept VALUES (1)")
		end(t)
		if n != 3 {
			if _, err := net.Dial("tcp", s.Address()); err == nil {
				t.Errorf("a server that was ended accepts a connection")
			}
			s.Start(t)
		}
	}
	if got := s.Query(t, "postgres", "SELECT sum(n) FROM kept"); got != "3" {
		t.Errorf("%s rows of 3", got)
	}
}
