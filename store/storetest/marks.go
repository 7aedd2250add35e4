package storetest

import (
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// userMark is an entry that covers a user's sessions up to id, made so many minutes after
// the start and needed by verifiers for ten more.
func userMark(user string, id sid.ID, minutes int) revocation.Entry {
	return revocation.Entry{
		Scope: revocation.UserScope(user), SID: id, Reason: "revoked_by_service",
		At: after(minutes), Until: after(minutes + 10),
	}
}

// listed is an entry that names one session.
func listed(id sid.ID, minutes int) revocation.Entry {
	e := userMark("", id, minutes)
	e.Scope = revocation.Scope{Kind: revocation.KindSession}
	return e
}

func markOf(e revocation.Entry) revocation.Mark {
	return revocation.Mark{Scope: e.Scope, SID: e.SID, At: e.At, Until: e.Until, Reason: e.Reason}
}

func (f *fixture) revoke(t failer, entries ...revocation.Entry) {
	t.Helper()
	f.update(t, func(tx session.Tx) error {
		for _, e := range entries {
			if err := tx.Revoke(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// allMarks lists the marks there are, the unsettled ones first.
func allMarks(tx session.Tx) ([]revocation.Mark, error) {
	unsettled, err := tx.UnsettledMarks(plenty)
	if err != nil {
		return nil, err
	}
	settled, err := tx.ExpiredMarks(after(plenty), plenty)
	return append(unsettled, settled...), err
}

// wantMarks fails unless these are all the marks there are.
func (f *fixture) wantMarks(t failer, want ...revocation.Mark) {
	t.Helper()
	var all []revocation.Mark
	f.update(t, func(tx session.Tx) (err error) {
		all, err = allMarks(tx)
		return err
	})
	got, wanted := map[revocation.Scope]revocation.Mark{}, map[revocation.Scope]revocation.Mark{}
	for _, m := range all {
		got[m.Scope] = m
	}
	for _, m := range want {
		wanted[m.Scope] = m
	}
	equal(t, "marks", got, wanted)
	if len(all) != len(want) {
		t.Errorf("%d marks, %d wanted", len(all), len(want))
	}
	f.view(t, func(r session.Reader) error {
		for _, m := range want {
			one, ok, err := r.Mark(m.Scope)
			if err != nil {
				return err
			}
			if equal(t, "mark", one, m); !ok {
				t.Errorf("no mark of %v", m.Scope)
			}
		}
		return nil
	})
}

// A mark rises, and never falls: an entry below it is logged and no more.
func testMarksRise(t *testing.T, open Open) {
	f := newFixture(t, open)
	everyone, client := userMark("", id(3), 1), userMark("app", id(4), 1)
	everyone.Scope, client.Scope = revocation.EverythingScope(), revocation.ClientScope("app")
	user := userMark("app", id(5), 1)
	f.revoke(t, everyone, client, user) // three scopes, though two have one name
	f.wantMarks(t, markOf(everyone), markOf(client), markOf(user))

	higher := userMark("app", id(8), 5)
	f.revoke(t, higher)
	f.wantMarks(t, markOf(everyone), markOf(client), markOf(higher))

	lower := userMark("app", id(7), 3)
	f.revoke(t, lower)
	f.wantMarks(t, markOf(everyone), markOf(client), markOf(higher))

	// What verifiers need for longer is kept for longer.
	later := userMark("app", id(7), 9)
	f.revoke(t, later)
	kept := markOf(higher)
	kept.Until = later.Until
	f.wantMarks(t, markOf(everyone), markOf(client), kept)

	if got := f.LastID(); got != id(8) {
		t.Errorf("last id %s, though a mark is at %s", got, id(8))
	}
	f.revoke(t, listed(id(99), 1))
	if got := f.LastID(); got != id(8) {
		t.Errorf("a list entry moved the last id to %s", got)
	}
	if entries, _ := f.log(t); len(entries) != 7 {
		t.Errorf("%d entries in the log, 7 were made", len(entries))
	}
}

func testSettleAndDrop(t *testing.T, open Open) {
	f := newFixture(t, open)
	first := userMark("u1", id(5), 1)
	f.revoke(t, first)
	seen := markOf(first)
	f.update(t, func(tx session.Tx) error { return tx.Settle(seen) })
	settled := seen
	settled.Settled = true
	f.wantMarks(t, settled)

	raised := userMark("u1", id(6), 2)
	f.revoke(t, raised)
	f.wantMarks(t, markOf(raised)) // there are sessions to settle again

	// What the sweeper found out about the old mark does not count for the new one.
	f.update(t, func(tx session.Tx) error { return tx.Settle(seen) })
	f.update(t, func(tx session.Tx) error { return tx.DropMark(seen) })
	f.wantMarks(t, markOf(raised))

	f.update(t, func(tx session.Tx) error { return tx.DropMark(markOf(raised)) })
	f.wantMarks(t)
	f.update(t, func(tx session.Tx) error { return tx.DropMark(markOf(raised)) }) // again
	f.update(t, func(tx session.Tx) error { return tx.Settle(markOf(raised)) })
	f.wantMarks(t)
	if got := f.LastID(); got != id(6) {
		t.Errorf("last id %s after the mark was dropped", got)
	}
}

func testLog(t *testing.T, open Open) {
	f := newFixture(t, open)
	if entries, first := f.log(t); len(entries) != 0 || first != 1 {
		t.Errorf("an empty log: %v, first %d", entries, first)
	}
	made := []revocation.Entry{listed(id(1), 1), userMark("u1", id(2), 2), listed(id(3), 3), userMark("ü", id(4), 4)}
	made[3].Reason = "a reason of tomorrow"
	f.revoke(t, made[0], made[1]) // one transaction
	f.revoke(t, made[2])
	f.revoke(t, made[3])
	for i := range made {
		made[i].Seq = uint64(i + 1)
	}
	for _, c := range []struct {
		after uint64
		limit int
		want  []revocation.Entry
	}{
		{0, 10, made},
		{0, 4, made},
		{0, 2, made[:2]},
		{1, 2, made[1:3]},
		{3, 9, made[3:]},
		{4, 9, nil},
		{5, 9, nil},
		{1<<64 - 1, 9, nil},
		{0, 0, nil},
	} {
		got, first, err := f.Entries(t.Context(), c.after, c.limit)
		if err != nil || first != 1 {
			t.Errorf("after %d: first %d, %v", c.after, first, err)
		}
		equal(t, "entries", got, c.want)
	}
}

// Trimming cuts the log from its beginning and never makes a hole in it.
func testTrimLog(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.revoke(t, listed(id(1), 1), listed(id(2), 2), listed(id(3), 50), listed(id(4), 3))
	trim := func(minutes, limit, want int, first uint64) {
		t.Helper()
		f.update(t, func(tx session.Tx) error {
			n, err := tx.TrimLog(after(minutes), limit)
			if n != want {
				t.Errorf("trimmed %d, not %d", n, want)
			}
			return err
		})
		if _, got := f.log(t); got != first {
			t.Errorf("the first entry is %d, not %d", got, first)
		}
	}
	trim(10, 9, 0, 1) // needed until minute 11
	trim(11, 9, 1, 2)
	trim(30, 9, 1, 3) // the third is needed, so the fourth stays
	trim(60, 1, 1, 4)
	trim(60, 9, 1, 5)
	trim(60, 9, 0, 5)
	f.reopen()
	f.revoke(t, listed(id(5), 5))
	entries, first := f.log(t)
	if len(entries) != 1 || entries[0].Seq != 5 || first != 5 {
		t.Errorf("a number was given twice, or left out: %v, first %d", entries, first)
	}
}
