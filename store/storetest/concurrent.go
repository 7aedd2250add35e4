package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// Of transactions that read and write the same session each sees the one before it.
func testSerialisable(t *testing.T, open Open) {
	const (
		writers = 24
		each    = 20
	)
	f := newFixture(t, open)
	f.create(t, small(id(1), "u1"))
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[uint32]bool{}
	)
	for range writers {
		wg.Go(func() {
			newest := uint32(0)
			for range each {
				gen, err := f.bump(t, id(1))
				if err != nil {
					t.Errorf("update: %v", err)
					return
				}
				if gen <= newest {
					t.Errorf("%d was written after %d had been acknowledged", gen, newest)
				}
				newest = gen
				mu.Lock()
				if seen[gen] {
					t.Errorf("%d was written twice: an update was lost", gen)
				}
				seen[gen] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got := f.load(t, id(1)).State.Generation; got != writers*each {
		t.Errorf("generation %d after %d updates", got, writers*each)
	}
}

// A reader sees one moment: never half of a transaction, and never an earlier moment than
// it has seen before.
func testSnapshot(t *testing.T, open Open) {
	const updates = 80
	f := newFixture(t, open)
	f.create(t, small(id(1), "u1"), small(id(2), "u1"))
	var (
		wg   sync.WaitGroup
		done atomic.Bool
	)
	wg.Go(func() {
		defer done.Store(true)
		for gen := range uint32(updates) {
			f.update(t, func(tx session.Tx) error {
				st := session.State{Generation: gen + 1}
				if err := tx.SetState(id(1), st); err != nil {
					return err
				}
				if err := tx.Revoke(userMark("u1", id(gen+10), int(gen))); err != nil {
					return err
				}
				return tx.SetState(id(2), st)
			})
		}
	})
	for range 3 {
		wg.Go(func() {
			newest := uint32(0)
			for !done.Load() {
				f.view(t, func(r session.Reader) error {
					a, err := r.Session(id(1))
					if err != nil {
						return err
					}
					mark, _, err := r.Mark(revocation.UserScope("u1"))
					if err != nil {
						return err
					}
					b, err := r.Session(id(2))
					if err != nil {
						return err
					}
					gen := a.State.Generation
					if b.State.Generation != gen || gen > 0 && mark.SID != id(gen-1+10) {
						t.Errorf("at once: %d, %d and a mark at %s", gen, b.State.Generation, mark.SID)
					}
					if gen < newest {
						t.Errorf("%d was read after %d", gen, newest)
					}
					newest = gen
					return nil
				})
			}
		})
	}
	wg.Wait()
}

// The count of live sessions is the number of live sessions, whoever ends them how often.
func testLiveExact(t *testing.T, open Open) {
	const sessions = 60
	f := newFixture(t, open)
	for n := range uint32(sessions) {
		f.create(t, small(id(n+1), "u1"))
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() { // each ends 40, and purges 5 of the others
			for n := range uint32(sessions) {
				target := id((n*7+uint32(w))%sessions + 1)
				f.update(t, func(tx session.Tx) error {
					if _, err := tx.Session(target); err != nil {
						return nil //nolint:nilerr // purged by another
					}
					switch {
					case target[5]%3 < 2:
						return tx.End(target, session.End{At: start(), Reason: session.ReasonIdle})
					case target[5]%4 == 0:
						return tx.Purge(session.Due{At: after(60), ID: target})
					}
					return nil
				})
			}
		})
	}
	wg.Wait()
	for range 2 {
		live := f.contents(t).Live
		if len(live) != 15 || f.Live() != 15 {
			t.Errorf("%d sessions live, %d counted, of 15", len(live), f.Live())
		}
		f.crash()
	}
}

// The log is numbered in the order of commits. A reader who goes on from the last number
// that it has seen misses nothing, and finds an entry as soon as its writer has returned.
func testLogOrder(t *testing.T, open Open) {
	const (
		writers = 12
		each    = 25
	)
	f := newFixture(t, open)
	var (
		wg   sync.WaitGroup
		done atomic.Bool
	)
	next := func(after uint64) []revocation.Entry {
		entries, _, err := f.Entries(t.Context(), after, 7)
		if err != nil {
			t.Errorf("entries: %v", err)
		}
		for i, e := range entries {
			if e.Seq != after+uint64(i)+1 {
				t.Errorf("after %d comes %d", after, e.Seq)
			}
		}
		return entries
	}
	readers := sync.WaitGroup{}
	for range 2 {
		readers.Go(func() {
			newest := map[string]sid.ID{} // of each writer
			for read := uint64(0); ; {
				finished := done.Load()
				entries := next(read)
				for _, e := range entries {
					if e.SID.Compare(newest[e.Scope.Name]) <= 0 {
						t.Errorf("%s: %s comes after %s", e.Scope.Name, e.SID, newest[e.Scope.Name])
					}
					newest[e.Scope.Name], read = e.SID, e.Seq
				}
				if finished && len(entries) == 0 {
					if read != writers*each {
						t.Errorf("%d entries were read of %d", read, writers*each)
					}
					return
				}
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			for n := range uint32(each) {
				e := userMark(fmt.Sprintf("u%d", w), id(n+1), int(n))
				f.revoke(t, e)
				if all, _ := f.log(t); !contains(all, e) {
					t.Errorf("%s: %s was acknowledged and is not in the log", e.Scope.Name, e.SID)
				}
			}
		})
	}
	wg.Wait()
	done.Store(true)
	readers.Wait()
}

func contains(entries []revocation.Entry, e revocation.Entry) bool {
	for _, got := range entries {
		if got.Scope == e.Scope && got.SID == e.SID {
			return true
		}
	}
	return false
}
