package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

// A mark covers every session that was acknowledged before it, and none that is created
// after it has returned, with 1, 2 and 4 issuers whose clocks differ.
func testIssuers(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){}
	for name, clocks := range clocks() {
		parts["InTurn/"+name] = func(t *testing.T, h Harness) { testMarkInTurn(t, h, clocks) }
		parts["AtOnce/"+name] = func(t *testing.T, h Harness) { testMarkAtOnce(t, h, clocks) }
		parts["Count/"+name] = func(t *testing.T, h Harness) { testMarkCountAtOnce(t, h, clocks) }
		parts["Spared/"+name] = func(t *testing.T, h Harness) { testMarkSparingAtOnce(t, h, clocks) }
	}
	subtests(t, harness, parts)
}

func testMarkInTurn(t *testing.T, harness Harness, clocks []time.Duration) {
	f := newFixture(t, harness, len(clocks))
	for n, pair := range pairs(len(clocks)) {
		for _, scope := range revocation.ScopesOf(fmt.Sprintf("u%d", n), "app") {
			user := fmt.Sprintf("u%d", n)
			creator, marker := f.issuers[pair[0]], f.issuers[pair[1]]
			now, markedAt := start().Add(clocks[pair[0]]), start().Add(clocks[pair[1]])
			before := createAt(t, creator, begun(user, now))
			m := markAt(t, marker, markRequest(scope, markedAt))
			later := createAt(t, creator, begun(user, now))
			if scope.Kind == revocation.KindUser && m.Ended != 1 {
				t.Errorf("%v by an issuer %v ahead ended %d sessions", scope, markedAt.Sub(now), m.Ended)
			}
			for _, at := range f.issuers {
				wantCovered(t, at, before, m.Mark, true)
				wantCovered(t, at, later, m.Mark, false)
			}
			if scope.Kind != revocation.KindUser {
				markAt(t, marker, markRequest(revocation.UserScope(user), markedAt)) // begin anew
			}
			f.change(t, idOf(later), ending(start(), session.ReasonSignOut))
		}
	}
}

// wantCovered fails unless a session is under a mark, or is not.
func wantCovered(t failer, at session.Store, s session.Snapshot, mark revocation.Mark, want bool) {
	t.Helper()
	got, err := at.Load(t.Context(), session.Ref{ID: idOf(s)})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if covered(got) != want || mark.Covers(idOf(s)) != want {
		t.Errorf("a session of %v is under the mark of %v from %v: %v, %v; want %v",
			s.Session.CreatedAt, mark.Scope, mark.At, covered(got), mark.Covers(idOf(s)), want)
	}
}

// created is a session and when, in the order of events, it was asked for and acknowledged.
type created struct {
	id            sid.ID
	asked, stored int64
}

// The same while sessions are created and marks set all the time. A session that is created
// while a mark is set may be on either side of it.
func testMarkAtOnce(t *testing.T, harness Harness, clocks []time.Duration) {
	const (
		creators = 8
		each     = 12
		marks    = 6
	)
	f := newFixture(t, harness, len(clocks))
	scopes := revocation.ScopesOf("u1", "app")
	var (
		wg       sync.WaitGroup
		events   atomic.Int64
		sessions [creators][]created
	)
	for c := range creators {
		wg.Go(func() {
			at, now := f.issuers[c%len(clocks)], start().Add(clocks[c%len(clocks)])
			for range each {
				asked := events.Add(1)
				s := createAt(t, at, begun("u1", now))
				sessions[c] = append(sessions[c], created{idOf(s), asked, events.Add(1)})
			}
		})
	}
	type marking struct {
		mark        revocation.Mark
		asked, done int64
	}
	var markings []marking
	for n := range marks {
		i := n % len(clocks)
		asked := events.Add(1)
		m := markAt(t, f.issuers[i], markRequest(scopes[n%len(scopes)], start().Add(clocks[i])))
		markings = append(markings, marking{m.Mark, asked, events.Add(1)})
	}
	wg.Wait()
	for _, m := range markings {
		for _, s := range sessions {
			for _, c := range s {
				if c.stored < m.asked && !m.mark.Covers(c.id) {
					t.Errorf("%v, bound %s, does not cover %s, which was acknowledged before", m.mark.Scope, m.mark.SID, c.id)
				}
				if c.asked > m.done && m.mark.Covers(c.id) {
					t.Errorf("%v, bound %s, covers %s, which was created afterwards", m.mark.Scope, m.mark.SID, c.id)
				}
			}
		}
	}
}

// A mark that spares its holder ends every other session that was acknowledged before it, and
// counts each once, while sessions are created all the time.
func testMarkSparingAtOnce(t *testing.T, harness Harness, clocks []time.Duration) {
	const (
		creators = 6
		each     = 10
		marks    = 6
	)
	f := newFixture(t, harness, len(clocks))
	holder := f.add(t, small("u1"))
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		known []session.Snapshot // acknowledged
	)
	for c := range creators {
		wg.Go(func() {
			for range each {
				s := createAt(t, f.issuers[c%len(clocks)], begun("u1", start().Add(clocks[c%len(clocks)])))
				mu.Lock()
				known = append(known, s)
				mu.Unlock()
			}
		})
	}
	ended := 0
	for n := range marks {
		mu.Lock()
		before := slices.Clone(known)
		mu.Unlock()
		m := markRequest(revocation.UserScope("u1"), start().Add(clocks[n%len(clocks)]))
		m.Holder, m.SpareHolder, m.Allow = idOf(holder), true, holderLive
		ended += markAt(t, f.issuers[n%len(clocks)], m).Ended
		for _, s := range before {
			if got := f.load(t, idOf(s)); got.End.IsZero() && !covered(got) {
				t.Errorf("%s was acknowledged before the mark, and is live", idOf(s))
			}
		}
	}
	wg.Wait()
	live := f.list(t, session.Query{UserID: "u1"}, plenty)
	live = slices.DeleteFunc(live, covered)
	if ended+len(live) != creators*each+1 || idOf(live[len(live)-1]) != idOf(holder) {
		t.Errorf("of %d sessions %d were counted as ended, and %d are live", creators*each+1, ended, len(live))
	}
}

// Marks of a user that are set at once count each session once between them, and none that
// is live afterwards.
func testMarkCountAtOnce(t *testing.T, harness Harness, clocks []time.Duration) {
	const (
		creators = 6
		each     = 10
		markers  = 3
	)
	f := newFixture(t, harness, len(clocks))
	var (
		wg    sync.WaitGroup
		ended atomic.Int64
	)
	on := func(n int, do func(at store.Backend, now time.Time)) {
		wg.Go(func() {
			for range each {
				do(f.issuers[n%len(clocks)], start().Add(clocks[n%len(clocks)]))
			}
		})
	}
	for c := range creators {
		on(c, func(at store.Backend, now time.Time) { createAt(t, at, begun("u1", now)) })
	}
	for m := range markers {
		on(m, func(at store.Backend, now time.Time) {
			ended.Add(int64(markAt(t, at, markRequest(revocation.UserScope("u1"), now)).Ended))
		})
	}
	wg.Wait()
	live := int64(0)
	for _, s := range f.list(t, session.Query{UserID: "u1"}, plenty) {
		if !covered(s) {
			live++
		}
	}
	if ended.Load()+live != creators*each {
		t.Errorf("of %d sessions %d were counted as ended, and %d are live", creators*each, ended.Load(), live)
	}
}
