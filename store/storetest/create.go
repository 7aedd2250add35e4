package storetest

import (
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

func testCreate(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"RoundTrip":   testRoundTrip,
		"Missing":     testMissing,
		"OtherUser":   testOtherUser,
		"Identifiers": testIdentifiers,
		"AboveMarks":  testAboveMarks,
	})
}

// What was stored is returned, to the byte and the millisecond.
func testRoundTrip(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	for what, s := range map[string]session.Snapshot{"full": full("u1"), "small": small("u1")} {
		s.Session.ID = sid.Next(sid.ID{}, after(5)) // not the one that the session gets
		created, err := f.Create(t.Context(), request(s))
		if err != nil {
			t.Fatal(err)
		}
		id := idOf(created.Session)
		if id.IsZero() || id == s.Session.ID || len(created.Evicted) > 0 {
			t.Errorf("%s: it is %s, and %d were evicted", what, id, len(created.Evicted))
		}
		s.Session.ID = id
		equal(t, what+" as it was created", created.Session, s)
		equal(t, what+" as it is loaded", f.load(t, id), s)
	}
	if f.Live() != 2 {
		t.Errorf("%d sessions live", f.Live())
	}
}

func testMissing(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	for _, missing := range []sid.ID{idOf(s).Before(), sid.Next(idOf(s), start()), {}} {
		f.wantMissing(t, session.Ref{ID: missing})
		f.wantMissing(t, session.Ref{ID: missing, UserID: "u1"})
	}
	f.wantUser(t, "nobody", false)
	f.wantUser(t, "u", false) // the beginning of a name is another name
	f.wantUser(t, "u1", true)
}

// A session that is asked for with another user's identifier does not exist.
func testOtherUser(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	users := []string{"u", "u1", "u\x01", "U"}
	var all []session.Snapshot
	for n := range 3 * len(users) {
		all = append(all, f.add(t, small(users[n%len(users)])))
	}
	for i := range users {
		all[i] = f.end(t, idOf(all[i]), session.ReasonSignOut)
	}
	for _, want := range all {
		for _, u := range append(users, "u\x00", "u\xff", "nobody") {
			ref := session.Ref{ID: idOf(want), UserID: u}
			if u != want.Session.User.ID {
				f.wantMissing(t, ref)
				continue
			}
			got, err := f.Load(t.Context(), ref)
			if err != nil {
				t.Errorf("a session of %q: %v", u, err)
			}
			equal(t, "session of "+u, got, want)
		}
	}
}

// The identifiers of a user's sessions grow in the order of their creation, whatever the
// clocks of the issuers say.
func testIdentifiers(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	var before sid.ID
	for n, minutes := range []int{0, 0, 9, 3, 9, -600, 0, 60 * 24 * 365, 1} {
		s := createAt(t, f.issuers[n%2], begun("u1", after(minutes)))
		if idOf(s).Compare(before) <= 0 {
			t.Errorf("session %d, begun %d minutes after the start: %s is not greater than %s", n, minutes, idOf(s), before)
		}
		before = idOf(s)
	}
}

// A new session is under no mark, whatever the clocks of the issuers say.
func testAboveMarks(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	for _, scope := range revocation.ScopesOf("u1", "app") {
		for _, minutes := range []int{10, 0, -500, 5} {
			m := markAt(t, f.issuers[1], markRequest(scope, after(minutes)))
			for _, offset := range []time.Duration{0, -2 * time.Second, 2 * time.Second, -7 * time.Minute} {
				s := createAt(t, f.issuers[0], begun("u1", after(minutes).Add(offset)))
				if covered(f.load(t, idOf(s))) || m.Mark.Covers(idOf(s)) {
					t.Errorf("a session that was created %v later is under the mark of %v", offset, scope)
				}
			}
		}
	}
}
