package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
)

// advance counts a session's generation up and returns the new one.
func advance(t failer, at session.Store, id sid.ID) (gen uint32, err error) {
	snap, err := at.Change(t.Context(), target(id), func(s, _ session.Snapshot) (session.Change, error) {
		s.State.Generation++
		gen = s.State.Generation
		return session.Change{State: &s.State}, nil
	})
	if err == nil && snap.State.Generation != gen {
		return 0, fmt.Errorf("generation %d was written, and %d returned", gen, snap.State.Generation)
	}
	return gen, err
}

// Changes of one session are made one after the other: none is lost, and each sees all that
// were acknowledged before it.
func testContended(t *testing.T, harness Harness, clocks []time.Duration) {
	const (
		workers = 16
		each    = 15
	)
	f := newFixture(t, harness, len(clocks))
	id := idOf(f.add(t, small("u1")))
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[uint32]bool{}
	)
	for w := range workers {
		wg.Go(func() {
			newest := uint32(0)
			for range each {
				gen, err := advance(t, f.issuers[w%len(clocks)], id)
				if err != nil {
					t.Errorf("change: %v", err)
					return
				}
				if gen <= newest {
					t.Errorf("%d was written after %d had been acknowledged", gen, newest)
				}
				newest = gen
				mu.Lock()
				if seen[gen] {
					t.Errorf("%d was written twice: a change was lost", gen)
				}
				seen[gen] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got := f.load(t, id).State.Generation; got != workers*each {
		t.Errorf("generation %d after %d changes", got, workers*each)
	}
}

// A reader sees each change as a whole, and never an earlier one than it has seen before.
func testChangeSnapshot(t *testing.T, harness Harness) {
	const changes = 40
	f := newFixture(t, harness, 2)
	id := idOf(f.add(t, small("u1")))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for r := range 2 {
		wg.Go(func() {
			newest := uint32(0)
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				snap, err := f.issuers[r%2].Load(t.Context(), session.Ref{ID: id})
				gen := snap.State.Generation
				if err != nil || gen > 0 && snap.Session.Label != label(gen) || gen < newest {
					t.Errorf("at once: generation %d after %d, label %q, %v", gen, newest, snap.Session.Label, err)
				}
				newest = gen
			}
		})
	}
	for range changes {
		_, err := f.Change(t.Context(), target(id), func(s, _ session.Snapshot) (session.Change, error) {
			s.State.Generation++
			s.Session.Label = label(s.State.Generation)
			return session.Change{Session: &s.Session, State: &s.State}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
}

// label is the label that goes with a generation.
func label(generation uint32) string { return strconv.FormatUint(uint64(generation), 10) }
