package postgres_test

import (
	"errors"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
	"issuer.example/store/postgres"
)

// The server's disk is full: what writes is not available, what reads goes on, and nothing that was acknowledged is
// lost when there is room again.
func TestDiskFullOnServer(t *testing.T) {
	if !pgtest.CanMount(t) {
		return
	}
	s := pgtest.StartOnSmallDisk(t, 128, nil)
	name := s.NewDatabase(t)
	migrate(t, s.SocketDSN(name))
	db := opened(t, postgres.Config{DSN: s.DSN(name)})
	var a acknowledged
	a.use(t, db)
	s.FillDisk(t)
	a.fails(t, db)
	a.verify(t, db)
	s.FreeDisk(t)
	a.recovers(t, db)
}

// fails creates sessions until that is not available.
func (a *acknowledged) fails(t *testing.T, db *postgres.DB) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, err := a.create(t.Context(), db); errors.Is(err, session.ErrUnavailable) {
			return
		} else if err != nil {
			t.Fatalf("the disk is full: %v", err)
		}
	}
	t.Fatal("a full disk takes everything")
}
