package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"issuer.example/fact"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

func testChange(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){
		"Record":   testChangeRecord,
		"State":    testChangeState,
		"End":      testChangeEnd,
		"Missing":  testChangeMissing,
		"Nothing":  testChangeNothing,
		"Error":    testChangeError,
		"Panic":    testChangePanic,
		"Snapshot": testChangeSnapshot,
	}
	for name, clocks := range clocks() {
		parts["Contended/"+name] = func(t *testing.T, h Harness) { testContended(t, h, clocks) }
	}
	subtests(t, harness, parts)
}

// A change of the record leaves who the session belongs to and when it began and ends.
func testChangeRecord(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	old, neighbour := f.add(t, small("u1")), f.add(t, small("u1"))
	changed := full("someone else").Session
	changed.ID, changed.CreatedAt, changed.ExpiresAt = idOf(neighbour), after(100), after(200)
	got := f.change(t, idOf(old), session.Change{Session: &changed})

	want := old
	want.Session = changed
	want.Session.ID, want.Session.User = idOf(old), old.Session.User
	want.Session.CreatedAt, want.Session.ExpiresAt = old.Session.CreatedAt, old.Session.ExpiresAt
	equal(t, "changed", got, want)
	equal(t, "loaded", f.load(t, idOf(old)), want)
	f.wantUser(t, "u1", false, neighbour, want)
	f.wantUser(t, "someone else", false)
	f.reopen()
	f.wantUser(t, "u1", false, neighbour, want)
}

func testChangeState(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	for _, st := range []session.State{
		full("u1").State, {State: refresh.State{Generation: 3, RedeemedAt: after(9)}}, {},
	} {
		s[0].State = st
		equal(t, "changed", f.change(t, idOf(s[0]), session.Change{State: &st}), s[0])
		equal(t, "loaded", f.load(t, idOf(s[0])), s[0])
	}
	equal(t, "the neighbour", f.load(t, idOf(s[1])), s[1])
	// All parts of a change are one.
	c := ending(after(30), session.ReasonSignOut)
	st, record := full("u1").State, s[1].Session
	record.Label = "desk"
	c.State, c.Session = &st, &record
	s[1].State, s[1].Session, s[1].End = st, record, c.End.End
	equal(t, "all at once", f.change(t, idOf(s[1]), c), s[1])
	f.wantUser(t, "u1", true, s[1])
}

// The first end counts. After it, a change of the state or another end does nothing.
func testChangeEnd(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	a, b := f.add(t, full("u1")), f.add(t, small("u1"))
	a.End = session.End{At: after(30), Reason: session.ReasonRefreshReuse}
	equal(t, "ended", f.end(t, idOf(a), session.ReasonRefreshReuse), a)
	before := f.lastFact(t)
	again := ending(after(50), session.ReasonSignOut)
	again.State = &session.State{LastSeenAt: after(49)}
	for range 2 {
		equal(t, "ended again", f.change(t, idOf(a), again), a)
		equal(t, "loaded", f.load(t, idOf(a)), a)
		f.wantUser(t, "u1", false, b)
		f.wantUser(t, "u1", true, a)
		if facts := f.facts(t, before); f.Live() != 1 || len(facts) > 0 {
			t.Errorf("after a second end %d sessions live, and the journal has %v", f.Live(), facts)
		}
		f.reopen()
	}
	// A reason that a later version gives is kept as it is.
	b.End = session.End{At: after(30), Reason: "a reason of tomorrow"}
	equal(t, "another reason", f.end(t, idOf(b), b.End.Reason), b)
	f.wantUser(t, "u1", true, b, a)
}

func testChangeMissing(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u2"))
	never := func(_, _ session.Snapshot) (session.Change, error) {
		t.Error("there was something to decide")
		return session.Change{}, nil
	}
	gone := sid.Next(idOf(s[1]), start())
	for what, at := range map[string]session.Target{
		"a missing session":            target(gone),
		"no session":                   target(sid.ID{}),
		"another user's":               {Ref: session.Ref{ID: idOf(s[0]), UserID: "u2"}},
		"a missing holder":             {Ref: session.Ref{ID: idOf(s[0])}, Holder: gone},
		"a missing session, of a user": {Ref: session.Ref{ID: gone, UserID: "u1"}, Holder: idOf(s[0])},
	} {
		if _, err := f.Change(t.Context(), at, never); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("change of %s: %v", what, err)
		}
	}
	at := session.Target{Ref: session.Ref{ID: idOf(s[0]), UserID: "u1"}, Holder: idOf(s[1])}
	got, err := f.Change(t.Context(), at, func(target, holder session.Snapshot) (session.Change, error) {
		equal(t, "the session", target, s[0])
		equal(t, "its holder", holder, s[1])
		return session.Change{}, nil
	})
	if equal(t, "unchanged", got, s[0]); err != nil {
		t.Error(err)
	}
}

// A decision to change nothing writes nothing, and is told the session's holder only if
// there is one.
func testChangeNothing(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, full("u1"))
	before := f.lastFact(t)
	_, err := f.Change(t.Context(), target(idOf(s)), func(_, holder session.Snapshot) (session.Change, error) {
		equal(t, "no holder", holder, session.Snapshot{})
		return session.Change{}, nil
	})
	if err != nil {
		t.Error(err)
	}
	equal(t, "session", f.load(t, idOf(s)), s)
	if facts := f.facts(t, before); len(facts) > 0 {
		t.Errorf("nothing was changed, and the journal has %v", facts)
	}
}

// everything is a change of all that can be changed.
func everything() session.Change {
	c := ending(after(30), session.ReasonSignOut)
	c.Session, c.State = &session.Session{Label: "changed"}, &session.State{}
	c.Facts = []fact.Fact{{Kind: fact.Changed, At: after(30), What: "label"}}
	return c
}

// wantUntouched fails unless a session is as it was, and nothing was written since.
func (f *fixture) wantUntouched(t failer, s session.Snapshot, since uint64) {
	t.Helper()
	for range 2 {
		equal(t, "session", f.load(t, idOf(s)), s)
		f.wantUser(t, s.Session.User.ID, false, s)
		f.wantUser(t, s.Session.User.ID, true)
		entries, first := f.revocations(t)
		if facts := f.facts(t, since); len(facts) > 0 || len(entries) > 0 || first != 1 || f.Live() != 1 {
			t.Errorf("facts %v, revocations %v from %d, %d live", facts, entries, first, f.Live())
		}
		f.reopen()
	}
}

// A decision that fails leaves no trace.
func testChangeError(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, full("u1"))
	before := f.lastFact(t)
	refused := errors.New("refused")
	got, err := f.Change(t.Context(), target(idOf(s)), func(_, _ session.Snapshot) (session.Change, error) {
		return everything(), refused
	})
	if !errors.Is(err, refused) || got.Session.ID != (sid.ID{}) {
		t.Errorf("the error came back as %v, with %+v", err, got)
	}
	f.wantUntouched(t, s, before)
	// The numbers that were not used are given to the next facts.
	f.end(t, idOf(s), session.ReasonSignOut)
	entries, _ := f.revocations(t)
	if facts := f.facts(t, before); len(facts) != 1 || facts[0].Number != before+1 || len(entries) != 1 || entries[0].Seq != 1 {
		t.Errorf("the next facts are %v, the revocations %v", facts, entries)
	}
}

// A decision that panics leaves no trace either, and those that are made at the same time
// take effect.
func testChangePanic(t *testing.T, harness Harness) {
	const neighbours = 8
	f := newFixture(t, harness, 1)
	s := f.add(t, full("u1"))
	var wg sync.WaitGroup
	for n := range neighbours {
		wg.Go(func() {
			id := idOf(f.add(t, small(fmt.Sprintf("neighbour%d", n))))
			for gen := range uint32(10) {
				if got, err := advance(t, f, id); err != nil || got != gen+1 {
					t.Errorf("a neighbour is at %d, %v, not at %d", got, err, gen+1)
				}
			}
			f.end(t, id, session.ReasonSignOut)
		})
	}
	for range 5 {
		if err := panicking(t, f, idOf(s)); err == nil {
			t.Error("a decision that panics was carried out")
		}
	}
	wg.Wait()
	equal(t, "session", f.load(t, idOf(s)), s)
	f.wantUser(t, "u1", false, s)
	if f.Live() != 1 {
		t.Errorf("%d sessions live", f.Live())
	}
	for _, fa := range f.facts(t, 0) {
		if fa.SID == idOf(s) && fa.Kind != fact.Created {
			t.Errorf("the journal has %+v", fa)
		}
	}
}

// panicking makes a change whose decision panics. The panic may come back as one or as an
// error.
func panicking(t failer, at session.Store, id sid.ID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	_, err = at.Change(t.Context(), target(id), func(_, _ session.Snapshot) (session.Change, error) {
		panic("a decision that panics")
	})
	return err
}
