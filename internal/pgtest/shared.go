package pgtest

import (
	"fmt"
	"sync"
	"testing"
)

var shared = sync.OnceValues(func() (*Server, error) {
	in, err := install()
	if err != nil {
		return nil, err
	}
	s, err := newServer(in, Settings{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"})
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, s.Log())
	}
	return s, nil
})

// Shared returns the server that all tests of this program share. It is started when it is first asked for, and it must
// not be stopped. It does not sync its files.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return s
}
