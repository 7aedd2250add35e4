package pgtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
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
	s.Exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s ENCODING 'UTF8'", name, pgx.Identifier{from}.Sanitize()))
	t.Cleanup(func() {
		// A server that is stopped or gone has no use for it.
		_ = s.exec(context.Background(), "postgres", fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
	})
	return name
}

// databases numbers them.
var databases atomic.Int64

// Exec runs statements in a database, as the superuser.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if err := s.exec(t.Context(), database, statements...); err != nil {
		t.Fatalf("pgtest: %v\n%s", err, s.Log())
	}
}

func (s *Server) exec(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.SocketDSN(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
