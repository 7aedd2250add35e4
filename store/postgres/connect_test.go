package postgres_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store/postgres"
)

// password is one that no error may have.
const password = "a secret of the test"

// protected starts a server with an account of the issuer, which owns a database. It asks for the password, over TLS.
func protected(t *testing.T) (s *pgtest.Server, dsn string) {
	t.Helper()
	s = pgtest.Start(t, nil)
	s.Exec(t, "postgres", "CREATE ROLE issuer LOGIN PASSWORD '"+password+"'", "CREATE DATABASE sessions OWNER issuer ENCODING 'UTF8' TEMPLATE template0")
	s.Allow(t, "hostssl all all 127.0.0.1/32 scram-sha-256")
	return s, fmt.Sprintf("postgres://issuer@%s/sessions?sslmode=verify-full", s.Address())
}

// passwordFile makes a file with a password.
func passwordFile(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "password")
	writePassword(t, path, text)
	return path
}

func writePassword(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// opened opens a store, which is closed with the test.
func opened(t *testing.T, cfg postgres.Config) *postgres.DB {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // some have no server by then
	return db
}

// refused fails if a store can be opened, or if the error does not have a text, or has the password.
func refused(t *testing.T, cfg postgres.Config, want string) {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), cfg)
	if err == nil {
		_ = db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// The server has another password from now on, and so has the file: connections that are made afterwards have it.
func TestPasswordChanges(t *testing.T) {
	s, dsn := protected(t)
	ca := pgtest.NewAuthority(t)
	s.UseTLS(t, ca.Issue(t, "127.0.0.1"))
	cfg := postgres.Config{DSN: dsn + "&sslrootcert=" + ca.File, PasswordFile: passwordFile(t, password)}
	if _, err := postgres.Migrate(t.Context(), cfg, 0); err != nil {
		t.Fatal(err)
	}
	var a acknowledged
	db := opened(t, cfg)
	a.use(t, db)
	for n := range 2 {
		next := fmt.Sprintf("%s, number %d", password, n)
		s.Exec(t, "postgres", "ALTER ROLE issuer PASSWORD '"+next+"'")
		a.use(t, db) // on the connections that there are
		writePassword(t, cfg.PasswordFile, next)
		s.Exec(t, "postgres", "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'issuer'")
		a.recovers(t, db)
	}
	writePassword(t, cfg.PasswordFile, "not the password")
	refused(t, cfg, "password")
}

func TestCertificateOfServer(t *testing.T) {
	s, dsn := protected(t)
	ca, other := pgtest.NewAuthority(t), pgtest.NewAuthority(t)
	cfg := postgres.Config{DSN: dsn + "&sslrootcert=" + ca.File, PasswordFile: passwordFile(t, password)}
	refused(t, cfg, "TLS")
	for _, c := range []struct {
		by   *pgtest.Authority
		host string
		want string // in the error; "": it is the right one
	}{
		{ca, "127.0.0.1", ""},
		{ca, "db.example", "certificate"},
		{other, "127.0.0.1", "certificate"},
		{ca, "127.0.0.1", ""},
	} {
		s.UseTLS(t, c.by.Issue(t, c.host))
		if c.want != "" {
			refused(t, cfg, c.want)
			continue
		}
		if _, err := postgres.Migrate(t.Context(), cfg, 0); err != nil {
			t.Fatal(err)
		}
		var a acknowledged
		a.use(t, opened(t, cfg))
	}
}
