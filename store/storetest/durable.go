package storetest

import (
	"fmt"
	"sync"
	"testing"

	"issuer.example/fact"
	"issuer.example/internal/rounds"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
)

// RunDurable runs the part of the suite that closes stores and crashes them.
func RunDurable(t *testing.T, harness Harness) {
	t.Helper()
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Reopened":         testReopened,
		"Crashed":          testCrashed,
		"RestartedOften":   testRestartedOften,
		"CrashedUnderLoad": testCrashedUnderLoad,
	})
}

// contents is all that can be read from a store.
type contents struct {
	Live, Ended     []session.Snapshot
	Facts           []fact.Fact
	First           uint64
	Revocations     []revocation.Entry
	FirstRevocation uint64
	Keys            keys.Stored
	Count           int64
}

// contents reads all there is.
func (f *fixture) contents(t failer) (c contents) {
	t.Helper()
	c.Live = f.list(t, session.Query{}, plenty)
	c.Ended = f.list(t, session.Query{Ended: true}, plenty)
	c.Revocations, c.FirstRevocation = f.revocations(t)
	c.Count = f.Live()
	var err error
	if c.Facts, c.First, err = f.Facts(t.Context(), 0, plenty); err != nil {
		t.Fatalf("facts: %v", err)
	}
	if c.Keys, err = f.LoadKeys(t.Context()); err != nil {
		t.Fatalf("load keys: %v", err)
	}
	return c
}

// fill writes a little of everything: 40 sessions, of which 8 have ended and some are under
// marks, and 16 revocations.
func (f *fixture) fill(t failer) contents {
	t.Helper()
	for n := range 40 {
		s := full(fmt.Sprintf("u%d", n%3))
		if n%2 == 0 {
			s = small(s.Session.User.ID)
		}
		id := idOf(f.add(t, s))
		switch n % 5 {
		case 1:
			f.end(t, id, session.ReasonRefreshReuse)
		case 2:
			st := s.State
			st.Generation, st.RedeemedAt = uint32(n), after(n)
			f.change(t, id, session.Change{State: &st})
		case 3:
			f.mark(t, revocation.UserScope(s.Session.User.ID), after(n))
		}
	}
	if err := f.SwapKeys(t.Context(), 0, []byte("the keys"), []keys.Change{{KeyID: "k1", To: keys.Active, At: start()}}); err != nil {
		t.Fatalf("swap keys: %v", err)
	}
	c := f.contents(t)
	if c.Count != 32 || len(c.Live) != 32 || len(c.Ended) != 8 || len(c.Revocations) != 16 {
		t.Fatalf("the store was not filled as the test needs it: %+v", c)
	}
	return c
}

func testReopened(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	f.reopen() // an empty one
	want := f.fill(t)
	for range 3 {
		f.reopen()
		equal(t, "contents", f.contents(t), want)
	}
}

func testCrashed(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	want := f.fill(t)
	for range 2 { // crash twice: what comes back is a store like any other
		f.crash()
		equal(t, "contents", f.contents(t), want)
	}
	f.add(t, small("u0"))
	want = f.contents(t)
	f.crash()
	equal(t, "contents", f.contents(t), want)
}

// However few changes lie between two ends of the process, the newest state is there.
func testRestartedOften(t *testing.T, harness Harness) {
	const sessions = 5
	f := newFixture(t, harness, 1)
	var (
		want [sessions]uint32
		s    []session.Snapshot
	)
	for range sessions {
		s = append(s, f.add(t, small("u1")))
	}
	for n := range rounds.Rounds(t, 80, 200) {
		var err error
		if want[n%sessions], err = advance(t, f, idOf(s[n%sessions])); err != nil {
			t.Fatal(err)
		}
		switch n % 14 {
		case 6:
			f.crash()
		case 13:
			f.reopen()
		default:
			continue
		}
		for i := range s {
			if got := f.load(t, idOf(s[i])).State.Generation; got != want[i] {
				t.Fatalf("after %d changes session %d is at %d, not %d", n+1, i, got, want[i])
			}
		}
	}
}

// What many callers were told is done is there after a crash, again and again.
func testCrashedUnderLoad(t *testing.T, harness Harness) {
	const (
		writers = 8
		each    = 12
	)
	f := newFixture(t, harness, 4)
	var (
		s    []session.Snapshot
		done [writers]uint32 // the newest generation that was acknowledged
	)
	for range writers {
		s = append(s, f.add(t, small("u1")))
	}
	for range rounds.Rounds(t, 3, 6) {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for range each {
					gen, err := advance(t, f.issuers[w%len(f.issuers)], idOf(s[w]))
					if err != nil {
						t.Errorf("change: %v", err)
						return
					}
					done[w] = gen
				}
			})
		}
		wg.Wait()
		f.crash()
		for w := range writers {
			if got := f.load(t, idOf(s[w])).State.Generation; got != done[w] {
				t.Errorf("session %d is at %d, though %d was acknowledged", w, got, done[w])
			}
		}
	}
}
