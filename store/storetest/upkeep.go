package storetest

import (
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
)

func (f *fixture) wantDue(t failer, by time.Time, limit int, want ...session.Due) {
	t.Helper()
	var got []session.Due
	f.update(t, func(tx session.Tx) (err error) {
		got, err = tx.Due(by, limit)
		return err
	})
	equal(t, "due", got, want)
}

func testDue(t *testing.T, open Open) {
	f := newFixture(t, open)
	at := func(n uint32, minutes int) session.Due { return session.Due{At: after(minutes), ID: id(n)} }
	for _, d := range []session.Due{at(1, 30), at(2, 10), at(3, 10), at(4, 20)} {
		f.update(t, func(tx session.Tx) error {
			s := small(d.ID, "u1")
			return tx.Create(s.Session, s.State, d.At)
		})
	}
	f.wantDue(t, after(9), 10)
	f.wantDue(t, after(10), 10, at(2, 10), at(3, 10))
	f.wantDue(t, after(100), 10, at(2, 10), at(3, 10), at(4, 20), at(1, 30))
	f.wantDue(t, after(100), 3, at(2, 10), at(3, 10), at(4, 20))

	f.update(t, func(tx session.Tx) error { return tx.Defer(at(2, 10), after(40)) })
	f.wantDue(t, after(100), 10, at(3, 10), at(4, 20), at(1, 30), at(2, 40))
	f.update(t, func(tx session.Tx) error { return tx.Defer(at(2, 10), after(50)) }) // not due then any more
	f.wantDue(t, after(100), 10, at(3, 10), at(4, 20), at(1, 30), at(2, 40))

	f.end(t, id(3), session.ReasonSignOut) // an end does not change when it is looked at
	f.wantDue(t, after(10), 10, at(3, 10))
}

// A purge leaves nothing of a session, live or ended.
func testPurge(t *testing.T, open Open) {
	f := newFixture(t, open)
	live, ended, kept := small(id(1), "u1"), full(id(2), "u1"), small(id(3), "u1")
	f.create(t, live, ended, kept)
	f.end(t, idOf(ended), session.ReasonIdle)
	purge := func(s session.Snapshot) {
		t.Helper()
		due := session.Due{At: s.State.LastSeenAt.Add(s.Session.IdleTimeout), ID: idOf(s)}
		f.update(t, func(tx session.Tx) error { return tx.Purge(due) })
	}
	f.update(t, func(tx session.Tx) error { // not due then
		return tx.Purge(session.Due{At: after(1), ID: idOf(kept)})
	})
	purge(ended)
	purge(live)
	purge(live) // again
	for range 2 {
		f.want(t, "u1", false, kept)
		f.want(t, "u1", true)
		f.wantDue(t, after(1e6), 10, session.Due{At: after(60), ID: idOf(kept)})
		if f.Live() != 1 || f.LastID() != idOf(kept) {
			t.Errorf("live %d, last %s", f.Live(), f.LastID())
		}
		f.reopen()
	}
	if err := f.Update(t.Context(), func(tx session.Tx) error { return create(tx, live) }); err == nil {
		t.Error("the identifier of a purged session was taken again")
	}
}

func testLiveAfter(t *testing.T, open Open) {
	f := newFixture(t, open)
	var all []session.Snapshot
	for n := range uint32(6) {
		s := small(id(10*(n+1)), []string{"u1", "u2"}[n%2])
		f.create(t, s)
		all = append(all, s)
	}
	all[4].State.Generation = 7
	f.update(t, func(tx session.Tx) error { return tx.SetState(idOf(all[4]), all[4].State) })
	f.end(t, id(30), session.ReasonSignOut)
	all = append(all[:2], all[3:]...)
	for _, c := range []struct {
		after sid.ID
		limit int
		want  []session.Snapshot
	}{
		{sid.ID{}, 10, all},
		{sid.ID{}, 2, all[:2]},
		{id(20), 2, all[2:4]}, // the ended one is passed over
		{id(30), 9, all[2:]},
		{id(35), 1, all[2:3]},
		{id(60), 9, nil},
		{id(99), 9, nil},
	} {
		var got []session.Snapshot
		f.update(t, func(tx session.Tx) (err error) {
			got, err = tx.LiveAfter(c.after, c.limit)
			return err
		})
		equal(t, "live after "+c.after.String(), got, c.want)
	}
}
