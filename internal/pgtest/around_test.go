package pgtest_test

import (
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
)

// works fails unless the database answers at a DSN.
func works(t *testing.T, dsn string) {
	t.Helper()
	if got, err := pgtest.SQL(t.Context(), dsn, "SELECT 1"); err != nil || got != "1" {
		t.Errorf("%q, %v", got, err)
	}
}

// fails checks that psql is refused, with that text.
func fails(t *testing.T, dsn, want string) {
	t.Helper()
	if got, err := pgtest.SQL(t.Context(), dsn, "SELECT 1"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q, %v; want %s", got, err, want)
	}
}

func TestBehindProxyAndPgbouncer(t *testing.T) {
	s := pgtest.Shared(t)
	name := s.NewDatabase(t)
	works(t, s.DSN(name))
	works(t, pgtest.NewProxy(t, s.Address()).DSN(name))
	b := s.Bouncer(t, pgtest.Settings{"default_pool_size": "3"})
	works(t, b.DSN(name))
}

func TestAccess(t *testing.T) {
	s := pgtest.Start(t, nil)
	s.Exec(t, "postgres", "CREATE ROLE issuer LOGIN PASSWORD 'first'")
	s.Allow(t, "hostssl postgres all 127.0.0.1/32 scram-sha-256")
	fails(t, s.DSN("postgres"), "no pg_hba.conf entry")

	a := pgtest.NewAuthority(t)
	s.UseTLS(t, a.Issue(t, "127.0.0.1"))
	dsn := func(password string) string {
		return "postgres://issuer:" + password + "@" + s.Address() + "/postgres?sslmode=verify-full&sslrootcert=" + a.File
	}
	works(t, dsn("first"))
	s.Exec(t, "postgres", "ALTER ROLE issuer PASSWORD 'second'")
	fails(t, dsn("first"), "password authentication failed")
	works(t, dsn("second"))
	s.UseTLS(t, a.Issue(t, "db.example"))
	fails(t, dsn("second"), "does not match host name")
}

func TestStandby(t *testing.T) {
	s := pgtest.Start(t, nil)
	s.Exec(t, "postgres", "CREATE TABLE kept (n int)")
	standby := s.Standby(t, "second", nil)
	s.RequireStandby(t, "second")
	s.Exec(t, "postgres", "INSERT INTO kept VALUES (7)")
	s.Kill(t)
	if got := standby.Query(t, "postgres", "SHOW transaction_read_only"); got != "on" {
		t.Errorf("a standby is read only: %s", got)
	}
	standby.Promote(t)
	standby.Exec(t, "postgres", "INSERT INTO kept VALUES (8)")
	if got := standby.Query(t, "postgres", "SELECT sum(n) FROM kept"); got != "15" {
		t.Errorf("what was acknowledged is lost: %s", got)
	}
	s.Follow(t, standby, "second")
	standby.RequireStandby(t, "second")
	if got := s.Query(t, "postgres", "SELECT sum(n) FROM kept"); got != "15" {
		t.Errorf("what follows lacks what was acknowledged: %s", got)
	}
}
