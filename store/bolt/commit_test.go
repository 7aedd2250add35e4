package bolt_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// hold keeps the committer busy until the returned function is called.
func hold(t *testing.T, db *bolt.DB) (release func()) {
	t.Helper()
	held, done := make(chan struct{}), make(chan struct{})
	go func() { _ = db.Hold(held, done) }()
	<-held
	return sync.OnceFunc(func() { close(done) })
}

// Callers that wait at the same time share a commit, and none is answered before it.
func TestCallersShareACommit(t *testing.T) {
	const callers = 100
	var (
		covered atomic.Int64
		largest atomic.Int64
	)
	db := start(t, bolt.Config{Path: newPath(t), Observe: func(c bolt.Commit) {
		covered.Add(int64(c.Callers))
		largest.Store(max(largest.Load(), int64(c.Callers)))
		if c.Took <= 0 {
			t.Error("a commit took no time")
		}
	}})
	for n := 1; n <= callers; n++ {
		mustCreate(t, db, n, "u")
	}
	before := covered.Load()
	release := hold(t, db)
	var (
		wg       sync.WaitGroup
		answered atomic.Int64
	)
	for n := 1; n <= callers; n++ {
		wg.Go(func() {
			if err := advance(t.Context(), db, n); err != nil {
				t.Error(err)
			}
			if n := answered.Add(1); covered.Load()-before < n {
				t.Errorf("%d callers were answered when commits had covered %d", n, covered.Load()-before)
			}
		})
	}
	becomes(t, "all callers wait", func() bool { return db.Waiting() == callers })
	release()
	wg.Wait()
	if largest.Load() != callers {
		t.Errorf("at most %d callers shared a commit, want all %d", largest.Load(), callers)
	}
}

// One caller's error or panic is that caller's alone, and undoes nothing of the others.
func TestFailureIsItsCallersAlone(t *testing.T) {
	errRefused := errors.New("refused")
	for name, fail := range map[string]func() error{
		"panic": func() error { panic("a mistake") },
		"error": func() error { return errRefused },
	} {
		t.Run(name, func(t *testing.T) {
			db := start(t, bolt.Config{Path: newPath(t)})
			for n := 1; n <= 3; n++ {
				mustCreate(t, db, n, "u")
			}
			release := hold(t, db)
			var wg sync.WaitGroup
			for n := 1; n <= 3; n++ {
				wg.Go(func() {
					_, err := db.Change(t.Context(), session.Target{Ref: session.Ref{ID: id(n)}},
						func(snap, _ session.Snapshot) (session.Change, error) {
							snap.State.Generation++
							if n == 2 {
								if err := fail(); err != nil {
									return session.Change{State: &snap.State}, err
								}
							}
							return session.Change{State: &snap.State}, nil
						})
					if failed := err != nil; failed != (n == 2) {
						t.Errorf("caller %d got %v", n, err)
					}
					if errors.Is(err, session.ErrUnavailable) {
						t.Errorf("the failure reads as one of the store: %v", err)
					}
				})
			}
			becomes(t, "all callers wait", func() bool { return db.Waiting() == 3 })
			release()
			wg.Wait()
			for n, want := range map[int]uint32{1: 1, 2: 0, 3: 1} {
				if g, err := generation(t.Context(), db, n); g != want || err != nil {
					t.Errorf("session %d is at %d (%v), want %d", n, g, err, want)
				}
			}
		})
	}
}

// A caller who gives up while waiting is not run; one who gives up later waits.
func TestContextWhileWaiting(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	mustCreate(t, db, 1, "u")
	release := hold(t, db)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- advance(ctx, db, 1) }()
	becomes(t, "the caller waits", func() bool { return db.Waiting() == 1 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) || errors.Is(err, session.ErrUnavailable) {
		t.Errorf("got %v, want %v alone", err, context.Canceled)
	}
	release()
	mustCreate(t, db, 2, "u")
	if g, err := generation(t.Context(), db, 1); g != 0 || err != nil {
		t.Errorf("at %d (%v): the transaction of a caller who had gone was run", g, err)
	}
}

// Close answers those who wait, and does not run them.
func TestCloseWhileWaiting(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	mustCreate(t, db, 1, "u")
	release := hold(t, db)
	results := make(chan error, 5)
	for range 5 {
		go func() { results <- advance(context.Background(), db, 1) }()
	}
	becomes(t, "all callers wait", func() bool { return db.Waiting() == 5 })
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	becomes(t, "the store is closing", db.Closing)
	release()
	for range 5 {
		if err := <-results; err != nil && !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("a waiting caller got %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	refused(t, create(context.Background(), db, 9, "u"))
	refused(t, db.Healthy())
}

// A reader of one moment sees the states of that moment, however often they change
// meanwhile and however often the journal is folded.
func TestSnapshotOutlivesTheJournal(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)}.Small())
	const sessions = 7
	for n := 1; n <= sessions; n++ {
		mustCreate(t, db, n, "u")
	}
	check := func(load func(sid.ID) (session.Snapshot, error), want uint32) {
		t.Helper()
		for n := 1; n <= sessions; n++ {
			snap, err := load(id(n))
			if err != nil || snap.State.Generation != want {
				t.Errorf("session %d is at %d (%v), want %d", n, snap.State.Generation, err, want)
			}
		}
	}
	round := func() {
		for n := 1; n <= sessions; n++ {
			if err := advance(t.Context(), db, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Four readers, each of a later moment, all open at once.
	var nested func(depth uint32)
	nested = func(depth uint32) {
		err := db.Read(t.Context(), func(load func(sid.ID) (session.Snapshot, error)) error {
			want := depth * 25
			check(load, want)
			for range 25 {
				round()
			}
			if depth < 3 {
				nested(depth + 1)
			}
			check(load, want)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	nested(0)
	if old := db.Retired(); old == 0 {
		t.Error("the journal was never folded under a reader: the test tests nothing")
	}
	round()
	if old := db.Retired(); old != 0 {
		t.Errorf("%d folded journals are kept for no reader", old)
	}
}
