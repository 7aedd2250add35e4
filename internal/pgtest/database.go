package pgtest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Database makes an empty database, which goes with the test, and returns its DSN over the socket.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.SocketDSN(s.NewDatabase(t))
}

// NewDatabase makes an empty database, which goes with the test, and returns its name. Its encoding is UTF8.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	return s.CopyDatabase(t, "template0")
}

// CopyDatabase is [Server.NewDatabase] with the contents of another database, which nobody uses meanwhile.
func (s *Server) CopyDatabase(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	s.Exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s ENCODING 'UTF8' STRATEGY file_copy", name, from))
	t.Cleanup(func() {
		// A server that is stopped or gone has no use for it.
		_, _ = s.psql(context.Background(), "postgres", fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
	})
	return name
}

// Template returns the name of a database that fill has filled, for [Server.CopyDatabase]. It is filled when it is
// first asked for.
func (s *Server) Template(t testing.TB, name string, fill func(dsn string)) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.templates[name] {
		s.Exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name))
		fill(s.SocketDSN(name))
		if s.templates == nil {
			s.templates = map[string]bool{}
		}
		s.templates[name] = true
	}
	return name
}

// databases numbers them.
var databases atomic.Int64

// Exec runs statements in a database, as the superuser, each in a transaction of its own.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if _, err := s.psql(t.Context(), database, statements...); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// Query returns the values of the rows that a statement returns, as text: a line a row, with | between the columns.
func (s *Server) Query(t testing.TB, database, statement string) string {
	t.Helper()
	out, err := s.psql(t.Context(), database, statement)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return out
}

// Await waits until a statement returns true.
func (s *Server) Await(t testing.TB, database, statement string) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for s.Query(t, database, statement) != "t" {
		if time.Now().After(deadline) {
			t.Fatalf("pgtest: not true after %s: %s\n%s", startTimeout, statement, s.Log())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *Server) psql(ctx context.Context, database string, statements ...string) (string, error) {
	return SQL(ctx, s.SocketDSN(database), statements...)
}

// SQL runs statements with the program psql, so that this package does without a driver, and returns what the last one
// returns as [Server.Query] does.
func SQL(ctx context.Context, dsn string, statements ...string) (string, error) {
	in, err := install()
	if err != nil {
		return "", err
	}
	args := []string{"--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"}
	for _, statement := range statements {
		args = append(args, "--command="+statement)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(in.binaries, "psql"), append(args, dsn)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
