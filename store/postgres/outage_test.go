package postgres

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
	"issuer.example/sid"
)

// throughProxy opens a store on a database behind a proxy, with some sessions.
func throughProxy(t *testing.T, sessions int) (*DB, *pgtest.Proxy, []sid.ID) {
	t.Helper()
	server := pgtest.Shared(t)
	proxy := pgtest.NewProxy(t, server.Address())
	db := openAt(t, Config{DSN: proxy.DSN(newDatabaseOn(t, server))})
	return db, proxy, fill(t, db, sessions)
}

// cutOnce cuts the connection that carries a text, once.
func cutOnce(text string, cut pgtest.Cut) (traffic pgtest.Traffic, happened *atomic.Bool) {
	happened = new(atomic.Bool)
	return pgtest.Traffic{Watch: func(b []byte) pgtest.Cut {
		if bytes.Contains(b, []byte(text)) && happened.CompareAndSwap(false, true) {
			return cut
		}
		return pgtest.NoCut
	}}, happened
}

// A change whose connection is cut around its commit is made once, and acknowledged.
func TestCommitOfUnknownOutcome(t *testing.T) {
	db, proxy, ids := throughProxy(t, 1)
	for n, c := range []struct {
		what      string
		direction pgtest.Direction
		text      string
		cut       pgtest.Cut
		change    func() error
	}{
		{"the answer to a state", pgtest.ToClient, "UPDATE 1\x00", pgtest.CutBefore, func() error { _, err := advance(t.Context(), db, ids[0]); return err }},
		{"a state", pgtest.ToServer, string(ids[0][:]), pgtest.CutBefore, func() error { _, err := advance(t.Context(), db, ids[0]); return err }},
		{"the answer to a record", pgtest.ToClient, "UPDATE 1\x00", pgtest.CutBefore, func() error {
			_, err := db.Change(t.Context(), session.Target{Ref: session.Ref{ID: ids[0]}}, func(s, _ session.Snapshot) (session.Change, error) {
				s.State.Generation++
				return session.Change{Session: &s.Session, State: &s.State}, nil
			})
			return err
		}},
		{"the answer to a commit", pgtest.ToClient, "COMMIT\x00", pgtest.CutBefore, func() error {
			at := session.Target{Ref: session.Ref{ID: ids[0]}, Holder: ids[0]}
			_, err := db.Change(t.Context(), at, func(s, _ session.Snapshot) (session.Change, error) {
				s.State.Generation++
				return session.Change{State: &s.State}, nil
			})
			return err
		}},
	} {
		traffic, happened := cutOnce(c.text, c.cut)
		proxy.Set(c.direction, traffic)
		err := c.change()
		proxy.Set(c.direction, pgtest.Traffic{})
		if err != nil || !happened.Load() {
			t.Errorf("%s is lost: %v; cut: %v", c.what, err, happened.Load())
		}
		if got := generation(t, db, ids[0]); got != n+1 {
			t.Errorf("%s is lost, and the generation is %d, not %d", c.what, got, n+1)
		}
	}
}

// While connections are cut all the time, no acknowledged change is lost.
func TestCutsUnderLoad(t *testing.T) {
	db, proxy, ids := throughProxy(t, 16)
	const cuts = 20
	done := make(chan struct{})
	var (
		wg           sync.WaitGroup
		acknowledged = make([]int, len(ids))
		total        atomic.Int64
	)
	for i, id := range ids {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				_, err := advance(t.Context(), db, id)
				switch {
				case err == nil:
					acknowledged[i]++
					total.Add(1)
				case !errors.Is(err, session.ErrUnavailable):
					t.Errorf("change: %v", err)
				}
			}
		})
	}
	for range cuts {
		proxy.Cut()
		await(t, "another change is acknowledged", func() func() bool {
			before := total.Load()
			return func() bool { return total.Load() > before }
		}())
	}
	close(done)
	wg.Wait()
	for i, id := range ids {
		if got := generation(t, db, id); got < acknowledged[i] {
			t.Errorf("generation %d after %d acknowledged changes", got, acknowledged[i])
		}
	}
}

// await waits until something is so, for at most ten seconds.
func await(t *testing.T, what string, so func() bool) (took time.Duration) {
	t.Helper()
	began := time.Now()
	for !so() {
		if took = time.Since(began); took > 10*time.Second {
			t.Fatalf("after %s not yet: %s", took, what)
		}
	}
	return time.Since(began)
}

// While the server is gone, calls are refused at once and the store is not healthy. Soon after it is back, all is well.
func TestServerGoneAndBack(t *testing.T) {
	server := pgtest.Start(t, nil)
	db := openAt(t, Config{DSN: server.DSN(newDatabaseOn(t, server))})
	ids := fill(t, db, 1)
	for range 2 {
		server.Kill(t)
		await(t, "it is noticed", func() bool { return db.Healthy() != nil })
		for range 3 {
			began := time.Now()
			_, changeErr := advance(t.Context(), db, ids[0])
			_, loadErr := db.Load(t.Context(), session.Ref{ID: ids[0]})
			if took := time.Since(began); !errors.Is(changeErr, session.ErrUnavailable) || !errors.Is(loadErr, session.ErrUnavailable) || took > time.Second {
				t.Errorf("without a server, after %s: %v, %v", took, changeErr, loadErr)
			}
		}
		server.Start(t)
		if took := await(t, "it can be used again", func() bool { return db.Healthy() == nil }); took > 2*time.Second {
			t.Errorf("it was noticed after %s", took)
		}
		if _, err := advance(t.Context(), db, ids[0]); err != nil {
			t.Errorf("when the store is healthy again: %v", err)
		}
	}
}

// A server that becomes read-only, as a primary that is demoted, is not used. Its connections are dropped.
func TestServerBecomesReadOnly(t *testing.T) {
	server := pgtest.Start(t, nil)
	db := openAt(t, Config{DSN: server.DSN(newDatabaseOn(t, server))})
	ids := fill(t, db, 1)
	for range 2 {
		server.Set(t, pgtest.Settings{"default_transaction_read_only": "on"})
		await(t, "it is noticed", func() bool {
			_, err := advance(t.Context(), db, ids[0])
			return errors.Is(err, session.ErrUnavailable) && db.Healthy() != nil
		})
		server.Set(t, pgtest.Settings{"default_transaction_read_only": "off"})
		await(t, "it can be used again", func() bool { return db.Healthy() == nil })
		if _, err := advance(t.Context(), db, ids[0]); err != nil {
			t.Errorf("when the store is healthy again: %v", err)
		}
	}
}

// A partition of the network is an outage.
func TestPartition(t *testing.T) {
	db, proxy, ids := throughProxy(t, 1)
	for _, d := range []pgtest.Direction{pgtest.ToServer, pgtest.ToClient} {
		proxy.Set(d, pgtest.Traffic{Blackhole: true})
		_, err := advance(t.Context(), db, ids[0])
		if !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("during a partition: %v", err)
		}
		await(t, "it is noticed", func() bool { return db.Healthy() != nil })
		proxy.Set(d, pgtest.Traffic{})
		await(t, "it can be used again", func() bool { return db.Healthy() == nil })
		if _, err := advance(t.Context(), db, ids[0]); err != nil {
			t.Errorf("when the store is healthy again: %v", err)
		}
	}
}

// When all connections are busy, callers learn it soon.
func TestPoolExhausted(t *testing.T) {
	db := openAt(t, Config{DSN: newDatabase(t), MaxConnections: 2})
	ids := fill(t, db, 1)
	busy := db.pool.AcquireAllIdle(t.Context())
	for len(busy) < 2 {
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, conn)
	}
	began := time.Now()
	_, changeErr := advance(t.Context(), db, ids[0])
	_, listErr := db.List(t.Context(), session.Query{Limit: 1})
	if took := time.Since(began); !errors.Is(changeErr, session.ErrUnavailable) || !errors.Is(listErr, session.ErrUnavailable) || took > 5*acquireTimeout {
		t.Errorf("after %s: %v, %v", took, changeErr, listErr)
	}
	for _, conn := range busy {
		conn.Release()
	}
	if _, err := advance(t.Context(), db, ids[0]); err != nil {
		t.Errorf("when there are connections again: %v", err)
	}
}

// A caller that has little time says nothing of the server.
func TestImpatientCaller(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	id := fill(t, db, 1)[0]
	locked, err := db.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Rollback(t.Context())
	if _, err := locked.Exec(t.Context(), lockSessions, uuids([]sid.ID{id})); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	at := session.Target{Ref: session.Ref{ID: id}, Holder: id}
	_, err = db.Change(ctx, at, func(session.Snapshot, session.Snapshot) (session.Change, error) { return session.Change{}, nil })
	if !errors.Is(err, session.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the change was not given up: %v", err)
	}
	if err := db.Healthy(); err != nil {
		t.Errorf("the store is not healthy: %v", err)
	}
}
