package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
	"issuer.example/sid"
)

// advance counts a session's generation up.
func advance(ctx context.Context, db *DB, id sid.ID) (session.Snapshot, error) {
	return db.Change(ctx, session.Target{Ref: session.Ref{ID: id}}, func(s, _ session.Snapshot) (session.Change, error) {
		s.State.Generation++
		return session.Change{State: &s.State}, nil
	})
}

// label gives a session a label.
func label(ctx context.Context, db *DB, id sid.ID, label string) error {
	_, err := db.Change(ctx, session.Target{Ref: session.Ref{ID: id}}, func(s, _ session.Snapshot) (session.Change, error) {
		s.Session.Label = label
		return session.Change{Session: &s.Session}, nil
	})
	return err
}

// generation is that of a session, as it is in the database.
func generation(t *testing.T, db *DB, id sid.ID) int {
	t.Helper()
	s, err := db.Load(t.Context(), session.Ref{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return int(s.State.Generation)
}

// What an issuer remembers of a session that another one has changed is not what it decides on in the end.
func TestStaleMemory(t *testing.T) {
	dsn := newDatabase(t)
	a, b := openAt(t, Config{DSN: dsn}), openAt(t, Config{DSN: dsn})
	id := fill(t, a, 1)[0]
	for n := range 6 {
		db := []*DB{a, b}[n%2]
		if s, err := advance(t.Context(), db, id); err != nil || int(s.State.Generation) != n+1 {
			t.Fatalf("change %d led to %d, %v", n+1, s.State.Generation, err)
		}
	}
	// A decision to write nothing is made on what the database has.
	s, err := a.Change(t.Context(), session.Target{Ref: session.Ref{ID: id}}, func(s, _ session.Snapshot) (session.Change, error) {
		if s.State.Generation < 6 {
			return session.Change{}, errors.New("stale")
		}
		return session.Change{}, nil
	})
	if err != nil || s.State.Generation != 6 {
		t.Errorf("an issuer that was behind sees %d, %v", s.State.Generation, err)
	}
}

// A change of a locked session whose times are not on record needs one connection at a time.
func TestChangeWithOneConnection(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t), MaxConnections: 1})
	ids := fill(t, db, 2)
	for n := range 3 {
		at := begin().Add(time.Duration(n+1) * time.Hour)
		target := session.Target{Ref: session.Ref{ID: ids[0]}, Holder: ids[1]}
		s, err := db.Change(t.Context(), target, func(s, _ session.Snapshot) (session.Change, error) {
			s.State.LastSeenAt = at
			return session.Change{State: &s.State}, nil
		})
		if err != nil || !s.State.LastSeenAt.Equal(at) {
			t.Fatalf("last seen at %v, %v", s.State.LastSeenAt, err)
		}
		if !db.clock.covers(at) {
			t.Error("the time is not on record")
		}
	}
}

// Records and states that two issuers change at once are all changed.
func TestLostRaces(t *testing.T) {
	dsn := newDatabase(t)
	issuers := []*DB{openAt(t, Config{DSN: dsn}), openAt(t, Config{DSN: dsn})}
	id := fill(t, issuers[0], 1)[0]
	const each = 20
	var wg sync.WaitGroup
	for _, db := range issuers {
		wg.Go(func() {
			for range each {
				if _, err := advance(t.Context(), db, id); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range each {
				if err := label(t.Context(), db, id, "a name"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := generation(t, issuers[0], id); got != len(issuers)*each {
		t.Errorf("generation %d after %d changes", got, len(issuers)*each)
	}
}

// The context of a caller that waits ends the call, and disturbs nobody else.
func TestContextEndsMeanwhile(t *testing.T) {
	db := openAt(t, Config{DSN: newDatabase(t)})
	ids := fill(t, db, 2)
	tx, err := db.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), lockSessions, uuids(ids[:1])); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := advance(ctx, db, ids[0]); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("a change that waits for a lock: %v", err)
	}
	if _, err := advance(t.Context(), db, ids[1]); err != nil {
		t.Errorf("another session: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What had been sent goes on. It may come before or after the next one.
	if _, err := advance(t.Context(), db, ids[0]); err != nil {
		t.Error(err)
	}
	if got := generation(t, db, ids[0]); got != 1 && got != 2 {
		t.Errorf("generation %d", got)
	}
}

// Refreshes stay on their pages, and add nothing to any index.
func TestRefreshesAreHOT(t *testing.T) {
	server := pgtest.Shared(t)
	name := newDatabaseOn(t, server)
	const (
		sessions = 1000
		workers  = 16
		each     = 250
	)
	db := openAt(t, Config{DSN: server.SocketDSN(name)})
	ids := fill(t, db, sessions)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if _, err := advance(t.Context(), db, ids[rand.IntN(sessions)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := db.Close(); err != nil { // the ends of its connections report what they did
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.SocketDSN(name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	updated, hot := 0, 0
	for updated < workers*each {
		err := conn.QueryRow(t.Context(), `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sessions'`).Scan(&updated, &hot)
		if err != nil {
			t.Fatal(err)
		}
	}
	if hot < updated*95/100 {
		t.Errorf("%d of %d refreshes were HOT", hot, updated)
	}
}
