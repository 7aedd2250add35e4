package storetest

import (
	"errors"
	"sync"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

func testHolder(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){
		"Marked": testHolderMarked,
		"Allow":  testHolderAllow,
		"Spared": testHolderSpared,
	}
	for name, clocks := range clocks() {
		issuers := len(clocks)
		parts["EachOther/"+name] = func(t *testing.T, h Harness) { testEachOther(t, h, issuers) }
		parts["EachOthersUser/"+name] = func(t *testing.T, h Harness) { testEachOthersUser(t, h, issuers) }
	}
	subtests(t, harness, parts)
}

var errHolderEnded = errors.New("the holder's session has ended")

// holderLive refuses a change on behalf of a session that has ended.
func holderLive(holder session.Snapshot) error {
	if !judge(start())(holder).End.IsZero() {
		return errHolderEnded
	}
	return nil
}

// Of two sessions that end each other at the same time exactly one succeeds.
func testEachOther(t *testing.T, harness Harness, issuers int) {
	f := newFixture(t, harness, issuers)
	for _, pair := range pairs(issuers) {
		for range 4 {
			s := f.create(t, small("u1"), small("u1"))
			var (
				wg   sync.WaitGroup
				errs [2]error
			)
			for i := range s {
				wg.Go(func() {
					at := session.Target{Ref: session.Ref{ID: idOf(s[1-i]), UserID: "u1"}, Holder: idOf(s[i])}
					_, errs[i] = f.issuers[pair[i]].Change(t.Context(), at, func(_, holder session.Snapshot) (session.Change, error) {
						return ending(start(), session.ReasonUserRevoked), holderLive(holder)
					})
				})
			}
			wg.Wait()
			f.wantOneEnded(t, s, errs)
		}
	}
}

// wantOneEnded fails unless one of two sessions was ended by the other.
func (f *fixture) wantOneEnded(t failer, s []session.Snapshot, errs [2]error) {
	t.Helper()
	for i, err := range errs {
		ended := !judge(start())(f.load(t, idOf(s[1-i]))).End.IsZero()
		if err != nil && !errors.Is(err, errHolderEnded) || ended != (err == nil) {
			t.Errorf("%v, and the other session's end is on record: %v", err, ended)
		}
	}
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("two sessions that end each other: %v, %v", errs[0], errs[1])
	}
}

// The same for two sessions that each end all others of their user.
func testEachOthersUser(t *testing.T, harness Harness, issuers int) {
	f := newFixture(t, harness, issuers)
	for n, pair := range pairs(issuers) {
		user := "u" + string(rune('a'+n))
		s := f.create(t, small(user), small(user))
		var (
			wg   sync.WaitGroup
			errs [2]error
		)
		for i := range s {
			wg.Go(func() {
				m := markRequest(revocation.UserScope(user), start())
				m.Holder, m.SpareHolder, m.Allow = idOf(s[i]), true, holderLive
				var marked session.Marked
				if marked, errs[i] = f.issuers[pair[i]].Mark(t.Context(), m); errs[i] == nil && marked.Ended != 1 {
					t.Errorf("%d sessions were ended", marked.Ended)
				}
			})
		}
		wg.Wait()
		f.wantOneEnded(t, s, errs)
	}
}

// The holder is read with the marks over it.
func testHolderMarked(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	holder := f.add(t, small("u1"))
	m := f.mark(t, revocation.UserScope("u1"), start())
	s := f.add(t, small("u1"))
	at := session.Target{Ref: session.Ref{ID: idOf(s)}, Holder: idOf(holder)}
	_, err := f.Change(t.Context(), at, func(_, holder session.Snapshot) (session.Change, error) {
		equal(t, "the mark over the holder", holder.Mark, m.Mark)
		return ending(start(), session.ReasonUserRevoked), holderLive(holder)
	})
	if !errors.Is(err, errHolderEnded) {
		t.Errorf("on behalf of a session under a mark: %v", err)
	}
	f.wantUser(t, "u1", true)
}

// A mark on behalf of a session needs that it exists and is allowed.
func testHolderAllow(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	before := f.lastFact(t)
	m := markRequest(revocation.UserScope("u1"), after(1))
	m.Holder, m.Allow = sid.Next(idOf(s[1]), start()), func(session.Snapshot) error { return nil }
	if _, err := f.Mark(t.Context(), m); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("on behalf of a session that does not exist: %v", err)
	}
	refused := errors.New("refused")
	m.Holder, m.Allow = idOf(s[0]), func(holder session.Snapshot) error {
		equal(t, "holder", holder, s[0])
		return refused
	}
	if _, err := f.Mark(t.Context(), m); !errors.Is(err, refused) {
		t.Errorf("a refused mark: %v", err)
	}
	f.wantUser(t, "u1", false, s[1], s[0])
	if facts := f.facts(t, before); len(facts) > 0 {
		t.Errorf("a refused mark left %v", facts)
	}
	m.Allow = holderLive
	if marked, err := f.Mark(t.Context(), m); err != nil || marked.Ended != 2 || !marked.Mark.Covers(idOf(s[0])) {
		t.Errorf("a mark over all sessions, the holder's too: %+v, %v", marked, err)
	}
}

// A mark that spares its holder covers what is older and ends what is newer.
func testHolderSpared(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"), small("u1"), small("u1"), small("u1"))
	other := f.add(t, small("u2"))
	holder := s[2]
	f.end(t, idOf(s[4]), session.ReasonSignOut)
	m := markRequest(revocation.UserScope("u1"), after(1))
	m.Holder, m.SpareHolder, m.Allow = idOf(holder), true, holderLive
	marked := markAt(t, f, m)
	if marked.Ended != 3 || marked.Mark.Covers(idOf(holder)) || !marked.Mark.Covers(idOf(s[1])) {
		t.Errorf("it spares %s: %+v", idOf(holder), marked)
	}
	for i, snap := range s {
		dead := !judge(after(1))(f.load(t, idOf(snap))).End.IsZero()
		if dead != (i != 2) {
			t.Errorf("session %d of 5, of which the third was spared, has ended: %v", i+1, dead)
		}
	}
	f.sweepAll(t, after(1))
	f.wantUser(t, "u1", false, holder)
	f.wantUser(t, "u2", false, other)
	if again := markAt(t, f, m); again.Ended != 0 {
		t.Errorf("once more, %d sessions were ended", again.Ended)
	}
	f.wantUser(t, "u1", false, holder)
}
