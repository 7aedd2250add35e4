package pgtest

import (
	"path/filepath"
	"strings"
	"testing"
)

// UseTLS has a running server offer TLS, with that certificate from now on.
func (s *Server) UseTLS(t testing.TB, c Certificate) {
	t.Helper()
	for name, text := range map[string]string{"server.crt": c.Chain, "server.key": c.Key} {
		if err := s.in.writeFile(filepath.Join(s.data(), name), text); err != nil {
			t.Fatalf("pgtest: %v", err)
		}
	}
	s.Set(t, Settings{"ssl": "on"})
}

// Allow has a running server accept connections over TCP by these lines of pg_hba.conf only. The socket stays open
// to everybody.
func (s *Server) Allow(t testing.TB, lines ...string) {
	t.Helper()
	hba := append([]string{"local all,replication all trust"}, lines...)
	if err := s.in.writeFile(filepath.Join(s.data(), "pg_hba.conf"), strings.Join(hba, "\n")+"\n"); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s.reload(t)
}

// Set changes settings of a running server that need no restart.
func (s *Server) Set(t testing.TB, settings Settings) {
	t.Helper()
	for name, value := range settings {
		s.Exec(t, "postgres", "ALTER SYSTEM SET "+name+" = "+quoted(value))
	}
	s.reload(t)
}

// reload has the server read its configuration, and waits until new connections have it.
func (s *Server) reload(t testing.TB) {
	t.Helper()
	before := s.Query(t, "postgres", "SELECT pg_conf_load_time()")
	s.Exec(t, "postgres", "SELECT pg_reload_conf()")
	s.Await(t, "postgres", "SELECT pg_conf_load_time() > "+quoted(before))
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
