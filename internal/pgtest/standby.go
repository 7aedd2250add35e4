package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Standby starts a server that streams from this one, under a name that synchronous_standby_names can have. It ends with
// the test. It does not have what [Server.Set] has set.
func (s *Server) Standby(t testing.TB, name string, settings Settings) *Server {
	t.Helper()
	standby, err := s.newStandby(name, settings)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(standby.remove)
	standby.Start(t)
	s.awaitStreaming(t, name)
	return standby
}

func (s *Server) newStandby(name string, settings Settings) (*Server, error) {
	standby, err := emptyServer(s.in)
	if err != nil {
		return nil, err
	}
	return standby, standby.copyFrom(s, name, settings)
}

// Follow makes a server that has been killed a standby of another one, as [Server.Standby] does. What it had is lost.
func (s *Server) Follow(t testing.TB, primary *Server, name string) {
	t.Helper()
	s.removeSharedMemory()
	if err := os.RemoveAll(s.data()); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if err := s.copyFrom(primary, name, nil); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s.Start(t)
	primary.awaitStreaming(t, name)
}

// copyFrom copies the data of a server that runs, to stream from it.
func (s *Server) copyFrom(primary *Server, name string, settings Settings) error {
	copying := s.in.command("pg_basebackup", "--host="+primary.socket(), fmt.Sprintf("--port=%d", primary.port), "--username=postgres",
		"--pgdata="+s.data(), "--checkpoint=fast", "--no-sync")
	if out, err := copying.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	for _, name := range []string{"standby.signal", "postgresql.auto.conf"} { // the second has what Set has set
		if err := s.in.writeFile(filepath.Join(s.data(), name), ""); err != nil {
			return err
		}
	}
	from := fmt.Sprintf("host=%s port=%d user=postgres application_name=%s", primary.socket(), primary.port, name)
	return s.configure(s.defaults(), Settings{"primary_conninfo": from}, settings)
}

func (s *Server) awaitStreaming(t testing.TB, name string) {
	t.Helper()
	s.Await(t, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = "+quoted(name))
}

// RequireStandby has commits wait for a standby (synchronous_standby_names), and waits until it is there.
func (s *Server) RequireStandby(t testing.TB, name string) {
	t.Helper()
	s.Set(t, Settings{"synchronous_standby_names": name})
	s.Await(t, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND application_name = "+quoted(name))
}

// Promote makes a standby the primary, and returns when it accepts writes.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", "SELECT pg_promote(true, 60)")
}
