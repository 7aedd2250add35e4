package bolt_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// start opens a store that lasts as long as the test.
func start(t testing.TB, cfg bolt.Config) *bolt.DB {
	t.Helper()
	cfg.Logger = quiet()
	db, err := bolt.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data", "store.db")
}

// id makes identifiers that grow with n.
func id(n int) (id sid.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)<<16|0x7000)
	id[8] = 0x80
	return id
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func sample(n int, user string) session.Session {
	return session.Session{
		ID: id(n), User: session.User{ID: user}, ClientID: "web", UserAgent: "curl/8",
		CreatedAt: epoch, AuthTime: epoch, ExpiresAt: epoch.Add(time.Hour), IdleTimeout: time.Minute,
	}
}

// create adds session n.
func create(ctx context.Context, db *bolt.DB, n int, user string) error {
	return db.Insert(ctx, sample(n, user))
}

func mustCreate(t testing.TB, db *bolt.DB, n int, user string) {
	t.Helper()
	if err := create(t.Context(), db, n, user); err != nil {
		t.Fatal(err)
	}
}

// advance raises the generation of session n.
func advance(ctx context.Context, db *bolt.DB, n int) error {
	_, err := change(ctx, db, n, func(snap session.Snapshot) session.Change {
		snap.State.Generation++
		return session.Change{State: &snap.State}
	})
	return err
}

// change changes session n.
func change(
	ctx context.Context, db *bolt.DB, n int, decide func(session.Snapshot) session.Change,
) (session.Snapshot, error) {
	return db.Change(ctx, session.Target{Ref: session.Ref{ID: id(n)}},
		func(snap, _ session.Snapshot) (session.Change, error) { return decide(snap), nil })
}

// generation reads the generation of session n.
func generation(ctx context.Context, db *bolt.DB, n int) (uint32, error) {
	snap, err := db.Load(ctx, session.Ref{ID: id(n)})
	return snap.State.Generation, err
}

// becomes waits for a condition that another goroutine brings about.
func becomes(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

// refused fails the test unless the store says that it cannot answer.
func refused(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, session.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, session.ErrUnavailable)
	}
}
