package storetest

import (
	"fmt"
	"sync"
	"testing"

	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// contents is all that can be read from a store.
type contents struct {
	Live    []session.Snapshot
	Ended   map[string][]session.Snapshot
	Due     []session.Due
	Marks   []revocation.Mark
	Log     []revocation.Entry
	First   uint64
	Keys    keys.Stored
	LiveN   int64
	LastSID sid.ID
}

const plenty = 1 << 20

// contents reads all there is, of those users as far as it is asked by user.
func (f *fixture) contents(t failer, users ...string) contents {
	t.Helper()
	c := contents{Ended: map[string][]session.Snapshot{}, LiveN: f.Live(), LastSID: f.LastID()}
	f.update(t, func(tx session.Tx) (err error) {
		if c.Live, err = tx.LiveAfter(sid.ID{}, plenty); err != nil {
			return err
		}
		if c.Due, err = tx.Due(after(plenty), plenty); err != nil {
			return err
		}
		if c.Marks, err = allMarks(tx); err != nil {
			return err
		}
		for _, u := range users {
			for snap, err := range tx.UserSessions(u, true) {
				if err != nil {
					return err
				}
				c.Ended[u] = append(c.Ended[u], snap)
			}
		}
		return nil
	})
	c.Log, c.First = f.log(t)
	var err error
	if c.Keys, err = f.LoadKeys(t.Context()); err != nil {
		t.Fatalf("load keys: %v", err)
	}
	return c
}

// fill makes a little of everything.
func (f *fixture) fill(t failer) {
	t.Helper()
	for n := range uint32(40) {
		s := full(id(n+1), fmt.Sprintf("u%d", n%3))
		if n%2 == 0 {
			s = small(idOf(s), s.Session.User.ID)
		}
		f.create(t, s)
		switch n % 5 {
		case 1:
			f.end(t, idOf(s), session.ReasonRefreshReuse)
			f.revoke(t, listed(idOf(s), int(n)))
		case 2:
			s.State.Generation, s.State.RedeemedAt = n, after(int(n))
			f.update(t, func(tx session.Tx) error { return tx.SetState(idOf(s), s.State) })
		case 3:
			f.revoke(t, userMark(s.Session.User.ID, idOf(s), int(n)))
		}
	}
	if err := f.SwapKeys(t.Context(), 0, []byte("the keys"), nil); err != nil {
		t.Fatalf("swap keys: %v", err)
	}
}

func testReopened(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.reopen() // an empty one
	f.fill(t)
	want := f.contents(t, "u0", "u1", "u2")
	if want.LiveN != 32 || len(want.Live) != 32 || len(want.Log) != 16 || len(want.Marks) != 3 {
		t.Fatalf("the store was not filled as the test needs it: %+v", want)
	}
	for range 3 {
		f.reopen()
		equal(t, "contents", f.contents(t, "u0", "u1", "u2"), want)
	}
}

func testCrashed(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.fill(t)
	want := f.contents(t, "u0", "u1", "u2")
	for range 2 { // crash twice: what comes back is a store like any other
		f.crash()
		equal(t, "contents", f.contents(t, "u0", "u1", "u2"), want)
	}
	f.create(t, small(id(100), "u0"))
	want = f.contents(t, "u0", "u1", "u2")
	f.crash()
	equal(t, "contents", f.contents(t, "u0", "u1", "u2"), want)
}

// However few changes lie between two ends of the process, the newest state is found.
func testRestartedOften(t *testing.T, open Open) {
	const (
		sessions = 5
		updates  = 200
	)
	f := newFixture(t, open)
	var want [sessions]uint32
	for n := range uint32(sessions) {
		f.create(t, small(id(n+1), "u1"))
	}
	for n := range uint32(updates) {
		var err error
		if want[n%sessions], err = f.bump(t, id(n%sessions+1)); err != nil {
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
		for s := range uint32(sessions) {
			if got := f.load(t, id(s+1)).State.Generation; got != want[s] {
				t.Fatalf("after %d updates session %d is at %d, not %d", n+1, s+1, got, want[s])
			}
		}
	}
}

// What many callers were told is done is there after a crash, again and again.
func testCrashedUnderLoad(t *testing.T, open Open) {
	const (
		crashes = 6
		writers = 8
		each    = 12
	)
	f := newFixture(t, open)
	for n := range uint32(writers) {
		f.create(t, small(id(n+1), "u1"))
	}
	var done [writers]uint32 // the newest generation that its writer was told is on disk
	for range crashes {
		var wg sync.WaitGroup
		for w := range uint32(writers) {
			wg.Go(func() {
				for range each {
					gen, err := f.bump(t, id(w+1))
					if err != nil {
						t.Errorf("update: %v", err)
						return
					}
					done[w] = gen
				}
			})
		}
		wg.Wait()
		f.crash()
		for w := range uint32(writers) {
			if got := f.load(t, id(w+1)).State.Generation; got != done[w] {
				t.Errorf("session %d is at %d, though %d was acknowledged", w, got, done[w])
			}
		}
	}
}

// bump reads a session's generation and writes the next one, which it returns.
func (f *fixture) bump(t failer, id sid.ID) (gen uint32, err error) {
	err = f.Update(t.Context(), func(tx session.Tx) error {
		snap, err := tx.Session(id)
		if err != nil {
			return err
		}
		snap.State.Generation++
		gen = snap.State.Generation
		return tx.SetState(id, snap.State)
	})
	return gen, err
}
