package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

func testList(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Users":   testListUsers,
		"Filters": testListFilters,
		"Marked":  testListMarked,
		"Moving":  testListMoving,
	})
}

// A user has their own sessions, newest first, and nobody else's.
func testListUsers(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	// Names that are prefixes of each other, or sort around one another.
	users := []string{"u", "u1", "u\x01", "u\U0010ffff", "u1 ", "ü", "U"}
	want := map[string][]session.Snapshot{}
	for n := range 5 * len(users) {
		u := users[n%len(users)]
		want[u] = append([]session.Snapshot{f.add(t, small(u))}, want[u]...) // newest first
	}
	for _, u := range users {
		f.wantUser(t, u, false, want[u]...)
		f.wantUser(t, u, true)
		for size := 1; size < 7; size++ {
			equal(t, fmt.Sprintf("%s in pages of %d", u, size), f.list(t, session.Query{UserID: u}, size), want[u])
		}
	}
	for _, never := range []string{"u\x00", "u\xff"} { // never a name, and never another's
		f.wantUser(t, never, false)
		equal(t, "sessions of a client", f.list(t, session.Query{ClientID: never}, plenty), []session.Snapshot{})
	}
}

// Each filter, alone and with the others, in pages of all sizes.
func testListFilters(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	var all []session.Snapshot
	for n := range 24 {
		s := small([]string{"a", "ab", "b"}[n%3])
		s.Session.ClientID = []string{"app", "app2"}[n/3%2]
		s = f.add(t, s)
		if n/6%2 == 1 {
			s = f.end(t, idOf(s), session.ReasonSignOut)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b session.Snapshot) int { return idOf(b).Compare(idOf(a)) })
	for _, user := range []string{"", "a", "ab", "b", "c"} {
		for _, client := range []string{"", "app", "app2", "ap"} {
			for _, ended := range []bool{false, true} {
				for _, before := range []sid.ID{{}, idOf(all[9]), idOf(all[23]), sid.Next(idOf(all[0]), start())} {
					f.wantList(t, session.Query{UserID: user, ClientID: client, Ended: ended, Before: before}, all)
				}
			}
		}
	}
}

// wantList fails unless a list has what matches of all, in pages of any size.
func (f *fixture) wantList(t failer, q session.Query, all []session.Snapshot) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(all), func(s session.Snapshot) bool {
		return q.UserID != "" && q.UserID != s.Session.User.ID ||
			q.ClientID != "" && q.ClientID != s.Session.ClientID ||
			q.Ended == s.End.IsZero() ||
			!q.Before.IsZero() && idOf(s).Compare(q.Before) >= 0
	})
	for _, size := range []int{1, 2, 5, 24, plenty} {
		equal(t, fmt.Sprintf("%+v in pages of %d", q, size), f.list(t, q, size), want)
	}
}

// A session under a mark has no end on record yet, and is listed with the mark.
func testListMarked(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	old := f.add(t, small("u1"))
	m := f.mark(t, revocation.UserScope("u1"), after(1))
	fresh := f.add(t, small("u1"))
	old.Mark = m.Mark
	f.wantUser(t, "u1", false, fresh, old)
	f.wantUser(t, "u1", true)
	f.sweepAll(t, after(1))
	old.Mark, old.End = revocation.Mark{}, session.End{At: after(1), Reason: session.ReasonServiceRevoked}
	f.wantUser(t, "u1", false, fresh)
	f.wantUser(t, "u1", true, old)
}

// While sessions begin, end and are forgotten, a list has every session once that matches
// all the time, and none twice. The cursor may name a session that is gone.
func testListMoving(t *testing.T, harness Harness) {
	const staying = 40
	f := newFixture(t, harness, 1)
	want, leaving := f.interleaved(t, staying)
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, id := range leaving {
			f.change(t, id, ending(after(1), session.ReasonSignOut))
			f.add(t, small("u1"))
			f.sweep(t, after(1).Add(history))
		}
	})
	seen := map[sid.ID]int{}
	for _, s := range f.list(t, session.Query{UserID: "u1"}, 3) {
		seen[idOf(s)]++
	}
	wg.Wait()
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s is listed %d times", id, n)
		}
	}
	for _, id := range want {
		if seen[id] != 1 {
			t.Errorf("%s is listed %d times, though it was there all the time", id, seen[id])
		}
	}
}

// interleaved adds pairs of sessions to u1, of which one is to stay and one to leave.
func (f *fixture) interleaved(t failer, pairs int) (stay, leave []sid.ID) {
	t.Helper()
	for range pairs {
		lasting := small("u1")
		lasting.Session.IdleTimeout = 30 * history
		s := f.create(t, lasting, small("u1"))
		stay, leave = append(stay, idOf(s[0])), append(leave, idOf(s[1]))
	}
	return stay, leave
}
