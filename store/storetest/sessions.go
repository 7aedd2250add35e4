package storetest

import (
	"errors"
	"testing"

	"issuer.example/session"
	"issuer.example/sid"
)

// What was put comes back, to the byte and the millisecond.
func testCreate(t *testing.T, open Open) {
	f := newFixture(t, open)
	a, b := full(id(1), "u1"), small(id(2), "u1")
	f.create(t, a, b)
	equal(t, "full", f.load(t, a.Session.ID), a)
	equal(t, "small", f.load(t, b.Session.ID), b)
	if f.Live() != 2 || f.LastID() != b.Session.ID {
		t.Errorf("live %d, last %s", f.Live(), f.LastID())
	}
}

// An identifier below another would be under marks that were set before it.
func testCreateRefused(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.create(t, small(id(10), "u1"))
	f.update(t, func(tx session.Tx) error { return tx.Revoke(userMark("u2", id(20), 5)) })
	for what, n := range map[string]sid.ID{
		"the same": id(10), "older": id(9), "below a mark": id(15), "zero": {},
	} {
		err := f.Update(t.Context(), func(tx session.Tx) error { return create(tx, small(n, "u1")) })
		if err == nil {
			t.Errorf("a session id that is %s was taken", what)
		}
	}
	if f.Live() != 1 {
		t.Errorf("live %d", f.Live())
	}
	f.create(t, small(id(21), "u1"))
	err := f.Update(t.Context(), func(tx session.Tx) error { return create(tx, small(id(21), "u2")) })
	if err == nil {
		t.Error("the newest session id was taken again")
	}
}

func testMissing(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.create(t, small(id(5), "u1"))
	for _, missing := range []sid.ID{id(4), id(6), {}} {
		for what, fn := range map[string]func(session.Tx) error{
			"session":  func(tx session.Tx) error { _, err := tx.Session(missing); return err },
			"amend":    func(tx session.Tx) error { return tx.Amend(small(missing, "u1").Session) },
			"setstate": func(tx session.Tx) error { return tx.SetState(missing, session.State{}) },
			"end": func(tx session.Tx) error {
				return tx.End(missing, session.End{At: start(), Reason: session.ReasonSignOut})
			},
		} {
			if err := f.Update(t.Context(), fn); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("%s of a session that does not exist: %v", what, err)
			}
		}
	}
	f.want(t, "nobody", false)
	f.want(t, "u", false) // a prefix of a name is another name
	f.want(t, "u1", true)
	f.view(t, func(r session.Reader) error {
		if _, ok, err := r.Mark(userMark("u1", id(1), 0).Scope); ok || err != nil {
			t.Errorf("mark: %v, %v", ok, err)
		}
		return nil
	})
}

// Amending replaces the record and leaves who it is and when it began and ends.
func testAmend(t *testing.T, open Open) {
	f := newFixture(t, open)
	old := small(id(1), "u1")
	f.create(t, old)
	changed := full(id(1), "someone else")
	changed.Session.CreatedAt, changed.Session.ExpiresAt = after(100), after(200)
	f.update(t, func(tx session.Tx) error { return tx.Amend(changed.Session) })

	want := old
	want.Session = changed.Session
	want.Session.User, want.Session.CreatedAt, want.Session.ExpiresAt = old.Session.User, old.Session.CreatedAt, old.Session.ExpiresAt
	equal(t, "amended", f.load(t, idOf(old)), want)
	f.want(t, "u1", false, want)
	f.want(t, "someone else", false)
}

func testSetState(t *testing.T, open Open) {
	f := newFixture(t, open)
	a, b := small(id(1), "u1"), small(id(2), "u1")
	f.create(t, a, b)
	for _, st := range []session.State{full(id(1), "u1").State, {Generation: 3, RedeemedAt: after(9)}, {}} {
		a.State = st
		f.update(t, func(tx session.Tx) error { return tx.SetState(idOf(a), st) })
		equal(t, "state", f.load(t, idOf(a)), a)
	}
	equal(t, "the other's", f.load(t, idOf(b)), b)

	f.end(t, idOf(a), session.ReasonSignOut)
	err := f.Update(t.Context(), func(tx session.Tx) error { return tx.SetState(idOf(a), b.State) })
	if !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the state of a session that has ended: %v", err)
	}
}

// The first end counts.
func testEnd(t *testing.T, open Open) {
	f := newFixture(t, open)
	a, b := full(id(1), "u1"), small(id(2), "u1")
	f.create(t, a, b)
	f.end(t, idOf(a), session.ReasonRefreshReuse)
	if f.Live() != 1 {
		t.Errorf("live %d after an end", f.Live())
	}
	f.update(t, func(tx session.Tx) error {
		return tx.End(idOf(a), session.End{At: after(50), Reason: session.ReasonSignOut})
	})
	a.End = session.End{At: after(30), Reason: session.ReasonRefreshReuse}
	equal(t, "ended", f.load(t, idOf(a)), a)
	f.want(t, "u1", false, b)
	f.want(t, "u1", true, a)
	if f.Live() != 1 {
		t.Errorf("live %d after a second end", f.Live())
	}
	// A reason that a later version gives is kept as it is.
	f.end(t, idOf(b), "a reason of tomorrow")
	b.End = session.End{At: after(30), Reason: "a reason of tomorrow"}
	f.want(t, "u1", true, b, a)
}

// A user has their own sessions, live and ended, and no others.
func testUserSession(t *testing.T, open Open) {
	f := newFixture(t, open)
	users := []string{"u", "u1", "u\x01", "U"}
	var all []session.Snapshot
	for n := range 3 * len(users) {
		s := small(id(uint32(n+1)), users[n%len(users)])
		f.create(t, s)
		all = append(all, s)
	}
	for i := range users {
		f.end(t, idOf(all[i]), session.ReasonSignOut)
		all[i].End = session.End{At: after(30), Reason: session.ReasonSignOut}
	}
	f.view(t, func(r session.Reader) error {
		for _, want := range all {
			for _, u := range append(users, "", "u\x00", "nobody") {
				got, err := r.UserSession(u, idOf(want))
				switch {
				case u == want.Session.User.ID && err == nil:
					equal(t, "session of "+u, got, want)
				case u == want.Session.User.ID || !errors.Is(err, session.ErrNotFound):
					t.Errorf("%q asks for a session of %q: %v", u, want.Session.User.ID, err)
				}
			}
		}
		if _, err := r.UserSession("u", id(1000)); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("a session that there is not: %v", err)
		}
		return nil
	})
}

func testUserSessions(t *testing.T, open Open) {
	f := newFixture(t, open)
	// Names that are prefixes of each other, or sort around one another.
	users := []string{"u", "u1", "u\x01", "u\xff", "u1 ", "ü", "U"}
	want := map[string][]session.Snapshot{}
	for n := range 5 * len(users) {
		s := small(id(uint32(n+1)), users[n%len(users)])
		f.create(t, s)
		u := s.Session.User.ID
		want[u] = append([]session.Snapshot{s}, want[u]...) // newest first
	}
	for _, u := range users {
		f.want(t, u, false, want[u]...)
	}
	f.want(t, "u\x00", false) // never a name, and never another's
	// A caller may stop early.
	f.view(t, func(r session.Reader) error {
		for snap := range r.UserSessions("u", false) {
			equal(t, "newest", snap, want["u"][0])
			break
		}
		return nil
	})
}

// end ends a session half an hour after the start.
func (f *fixture) end(t failer, id sid.ID, reason session.Reason) {
	t.Helper()
	f.update(t, func(tx session.Tx) error { return tx.End(id, session.End{At: after(30), Reason: reason}) })
}

func idOf(s session.Snapshot) sid.ID { return s.Session.ID }
