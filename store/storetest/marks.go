package storetest

import (
	"fmt"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
)

func testMark(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Scopes":   testMarkScopes,
		"Rises":    testMarkRises,
		"Earliest": testMarkEarliest,
		"Count":    testMarkCount,
		"Nobody":   testMarkNobody,
		"Kept":     testMarkKept,
	})
}

// A mark covers its scope and nothing else: a user and a client of one name differ.
func testMarkScopes(t *testing.T, harness Harness) {
	for _, scope := range []revocation.Scope{
		revocation.UserScope("app"), revocation.ClientScope("app"), revocation.EverythingScope(),
	} {
		f := newFixture(t, harness, 1)
		var all []session.Snapshot
		for _, user := range []string{"app", "ap", "app2"} {
			for _, client := range []string{"app", "ap", "app2"} {
				s := small(user)
				s.Session.ClientID = client
				all = append(all, f.add(t, s))
			}
		}
		m := f.mark(t, scope, after(1))
		want := revocation.Mark{Scope: scope, SID: m.Mark.SID, At: after(1), Until: m.Mark.Until, Reason: string(session.ReasonServiceRevoked)}
		equal(t, "mark", m.Mark, want)
		for _, s := range all {
			inside := scope.Kind == revocation.KindEverything ||
				scope.Kind == revocation.KindUser && s.Session.User.ID == "app" ||
				scope.Kind == revocation.KindClient && s.Session.ClientID == "app"
			if inside {
				s.Mark = want
			}
			equal(t, fmt.Sprintf("%v: a session of %q and %q", scope, s.Session.User.ID, s.Session.ClientID), f.load(t, idOf(s)), s)
		}
	}
}

// A mark rises, and never falls.
func testMarkRises(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	m := markRequest(revocation.UserScope("u1"), after(5))
	first := markAt(t, f, m)
	s = append(s, f.add(t, small("u1")))
	m.At = after(6)
	second := markAt(t, f, m)
	if second.Mark.SID.Compare(first.Mark.SID) <= 0 || !second.Mark.Covers(idOf(s[2])) {
		t.Errorf("the mark went from %s to %s", first.Mark.SID, second.Mark.SID)
	}
	// One that spares the oldest session, which has ended long ago, is lower.
	m.At, m.Holder, m.SpareHolder, m.Allow = after(7), idOf(s[0]), true, func(session.Snapshot) error { return nil }
	third := markAt(t, f, m)
	if third.Mark.SID.Compare(second.Mark.SID) < 0 {
		t.Errorf("the mark fell from %s to %s", second.Mark.SID, third.Mark.SID)
	}
	for _, snap := range s {
		if !covered(f.load(t, idOf(snap))) {
			t.Errorf("%s is no longer under the mark", idOf(snap))
		}
	}
}

// A session under several marks has the earliest, by its time.
func testMarkEarliest(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	s := f.add(t, small("u1"))
	for _, m := range []struct {
		scope  revocation.Scope
		minute int
		first  bool
	}{
		{revocation.UserScope("u1"), 20, true},
		{revocation.EverythingScope(), 30, false},
		{revocation.ClientScope("app"), 10, true}, // of an issuer whose clock is behind
	} {
		marked := f.mark(t, m.scope, after(m.minute))
		if m.first {
			s.Mark = marked.Mark
		}
		equal(t, fmt.Sprintf("after the mark of minute %d", m.minute), f.load(t, idOf(s)), s)
	}
	// The end that is on record has precedence.
	s.Mark, s.End = revocation.Mark{}, session.End{At: after(30), Reason: session.ReasonSignOut}
	equal(t, "ended", f.end(t, idOf(s), session.ReasonSignOut), s)
}

// A mark of a user counts the sessions that it ends: not those that had ended before.
func testMarkCount(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"), small("u1"), begun("u1", after(-30)), begun("u1", after(20)))
	f.add(t, small("u2"))
	f.end(t, idOf(s[0]), session.ReasonSignOut)
	want := 2 // the third began later; that of before the start is idle in minute 40
	f.end(t, idOf(s[4]), session.ReasonSignOut)
	for _, scope := range []revocation.Scope{revocation.UserScope("u1"), revocation.UserScope("u1"), revocation.UserScope("u3")} {
		if m := f.mark(t, scope, after(40)); m.Ended != want || m.Unreadable != 0 {
			t.Errorf("%v: %d sessions were ended, %d unreadable; there were %d", scope, m.Ended, m.Unreadable, want)
		}
		want = 0
	}
	for _, scope := range []revocation.Scope{revocation.ClientScope("app"), revocation.EverythingScope()} {
		if m := f.mark(t, scope, after(41)); m.Ended != 0 {
			t.Errorf("%v: %d sessions were counted", scope, m.Ended)
		}
	}
	if live := f.Live(); live != 4 { // none of them has its end on record
		t.Errorf("%d sessions have no end on record", live)
	}
}

// A mark over a user, a client or a store without sessions is a mark, too.
func testMarkNobody(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	for _, scope := range revocation.ScopesOf("nobody", "nothing") {
		m := f.mark(t, scope, after(1))
		if m.Mark.SID.IsZero() || m.Mark.Scope != scope {
			t.Errorf("%v: %+v", scope, m)
		}
	}
	s := f.add(t, small("nobody"))
	equal(t, "a later session", f.load(t, idOf(s)), s)
	if entries, _ := f.revocations(t); len(entries) != 3 {
		t.Errorf("%d revocations of 3", len(entries))
	}
}

// A mark outlives the store's being closed and its crash, and upkeep never forgets it before
// the sessions under it have their ends on record.
func testMarkKept(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u2"), small("u3"))
	for _, scope := range []revocation.Scope{revocation.UserScope("u1"), revocation.ClientScope("app")} {
		f.mark(t, scope, after(1))
	}
	f.reopen()
	for range 2 {
		for _, snap := range s {
			if end := judge(after(2))(f.load(t, idOf(snap))).End; end.At != after(1) {
				t.Errorf("%s has the end %+v", snap.Session.User.ID, end)
			}
		}
		f.crash()
		f.sweepAll(t, after(30)) // verifiers need the marks no more
	}
	f.sweepAll(t, after(1).Add(history-1))
	for _, snap := range s {
		if end := f.load(t, idOf(snap)).End; end != (session.End{At: after(1), Reason: session.ReasonServiceRevoked}) {
			t.Errorf("%s has the end %+v", snap.Session.User.ID, end)
		}
	}
}
