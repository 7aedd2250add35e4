package bolt_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/session"
	"issuer.example/store/bolt"
)

// hold keeps the committer busy until the returned function is called.
func hold(t *testing.T, db *bolt.DB) (release func()) {
	t.Helper()
	held, done := make(chan struct{}), make(chan struct{})
	go func() {
		_ = db.Update(context.Background(), func(session.Tx) error {
			close(held)
			<-done
			return nil
		})
	}()
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

// One caller's panic is that caller's error, and undoes nothing of the others.
func TestPanicIsItsCallersAlone(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	release := hold(t, db)
	var wg sync.WaitGroup
	for n := 1; n <= 3; n++ {
		wg.Go(func() {
			err := db.Update(t.Context(), func(tx session.Tx) error {
				s := sample(int(db.Live())+1, "u")
				if n == 2 {
					s = sample(99, "u")
				}
				if err := tx.SetState(s.ID, session.State{}); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("SetState is %v", err)
				}
				if n == 2 {
					_ = tx.Create(s, session.State{}, epoch)
					panic("a mistake")
				}
				return nil
			})
			if panicked := err != nil; panicked != (n == 2) {
				t.Errorf("caller %d got %v", n, err)
			}
			if errors.Is(err, session.ErrUnavailable) {
				t.Errorf("the panic reads as a failure of the store: %v", err)
			}
		})
	}
	becomes(t, "all callers wait", func() bool { return db.Waiting() == 3 })
	release()
	wg.Wait()
	if err := db.Healthy(); err != nil || db.Live() != 0 {
		t.Errorf("after the panic: %v, %d sessions", err, db.Live())
	}
}

// A caller who gives up while waiting is not run; one who gives up later waits.
func TestContextWhileWaiting(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	release := hold(t, db)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Bool
	result := make(chan error, 1)
	go func() {
		result <- db.Update(ctx, func(session.Tx) error {
			ran.Store(true)
			return nil
		})
	}()
	becomes(t, "the caller waits", func() bool { return db.Waiting() == 1 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	release()
	mustCreate(t, db, 1, "u")
	if ran.Load() {
		t.Error("the transaction of a caller who had gone was run")
	}
}

func TestContextAfterItsTurn(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Update(ctx, func(tx session.Tx) error {
		cancel()
		return tx.Create(sample(1, "u"), session.State{}, epoch)
	})
	if err != nil || db.Live() != 1 {
		t.Errorf("got %v and %d sessions: a transaction that has run is not taken back", err, db.Live())
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
	check := func(r session.Reader, want uint32) {
		t.Helper()
		for n := 1; n <= sessions; n++ {
			snap, err := r.Session(id(n))
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
		err := db.View(t.Context(), func(r session.Reader) error {
			want := depth * 25
			check(r, want)
			for range 25 {
				round()
			}
			if depth < 3 {
				nested(depth + 1)
			}
			check(r, want)
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
