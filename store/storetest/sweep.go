package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

func testSweep(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Clock":       testSweepClock,
		"Used":        testSweepUsed,
		"Forget":      testSweepForget,
		"Marks":       testSweepMarks,
		"Bounded":     testSweepBounded,
		"Revocations": testSweepRevocations,
		"Facts":       testSweepFacts,
		"YoungFacts":  testSweepYoungFacts,
		"AtOnce":      testSweepAtOnce,
	})
}

// wantEnd fails unless that end of a session is on record.
func (f *fixture) wantEnd(t failer, id sid.ID, at time.Time, reason session.Reason) {
	t.Helper()
	if got := f.load(t, id); got.End != (session.End{At: at, Reason: reason}) {
		t.Errorf("%s has the end %+v, not %s at %v", id, got.End, reason, at)
	}
}

// Sessions that are over by the clock get their ends on record, at the time of their end.
func testSweepClock(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	idle, later := f.add(t, small("u1")), f.add(t, begun("u1", after(5)))
	short := small("u2")
	short.Session.ExpiresAt = after(60) // both at once: it has expired
	expired := f.add(t, short)
	if swept := f.sweepAll(t, after(60).Add(-time.Millisecond)); swept != (session.Swept{}) || f.Live() != 3 {
		t.Errorf("too early: %+v", swept)
	}
	if swept := f.sweepAll(t, after(60)); swept.Ended != 2 || swept.Forgotten != 0 || f.Live() != 1 {
		t.Errorf("after an hour: %+v, %d live", swept, f.Live())
	}
	f.wantEnd(t, idOf(idle), after(60), session.ReasonIdle)
	f.wantEnd(t, idOf(expired), after(60), session.ReasonExpired)
	f.wantUser(t, "u1", false, later)
	if swept := f.sweepAll(t, after(60)); swept != (session.Swept{}) {
		t.Errorf("again: %+v", swept)
	}
	f.reopen()
	if swept := f.sweepAll(t, after(70)); swept.Ended != 1 || f.Live() != 0 {
		t.Errorf("ten minutes later: %+v, %d live", swept, f.Live())
	}
	f.wantEnd(t, idOf(later), after(65), session.ReasonIdle)
}

// A session that was used is not idle.
func testSweepUsed(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	for minute := 50; minute < 400; minute += 50 {
		s.State.LastSeenAt = after(minute)
		f.change(t, idOf(s), session.Change{State: &s.State})
		if swept := f.sweepAll(t, after(minute+20)); swept != (session.Swept{}) {
			t.Errorf("minute %d: %+v", minute+20, swept)
		}
		f.wantUser(t, "u1", false, s)
	}
	if swept := f.sweepAll(t, after(410)); swept.Ended != 1 {
		t.Errorf("it was used an hour ago: %+v", swept)
	}
	f.wantEnd(t, idOf(s), after(410), session.ReasonIdle)
}

// Nothing is left of a session that is forgotten, whatever it ended by.
func testSweepForget(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	byEnd := f.end(t, idOf(f.add(t, full("u1"))), session.ReasonSignOut)
	byMark, byClock := f.add(t, small("u2")), f.add(t, small("u1"))
	f.mark(t, revocation.UserScope("u2"), after(40))
	kept := f.add(t, begun("u1", after(50)))
	if swept := f.sweepAll(t, after(29).Add(history)); swept.Ended != 3 || swept.Forgotten != 0 || f.Live() != 0 {
		t.Errorf("before the first is to be forgotten: %+v, %d live", swept, f.Live())
	}
	for _, step := range []struct {
		minute    int
		forgotten session.Snapshot
	}{{30, byEnd}, {40, byMark}, {60, byClock}} {
		if swept := f.sweepAll(t, after(step.minute).Add(history)); swept.Ended != 0 || swept.Forgotten != 1 {
			t.Errorf("minute %d: %+v", step.minute, swept)
		}
		f.wantMissing(t, session.Ref{ID: idOf(step.forgotten)})
		f.wantMissing(t, session.Ref{ID: idOf(step.forgotten), UserID: step.forgotten.Session.User.ID})
		_, err := f.Change(t.Context(), target(idOf(step.forgotten)), always(everything()))
		if err == nil {
			t.Error("a forgotten session was changed")
		}
		f.reopen()
	}
	f.wantUser(t, "u1", false)
	f.wantUser(t, "u2", true)
	kept.End = session.End{At: after(110), Reason: session.ReasonIdle}
	f.wantUser(t, "u1", true, kept)
}

// Sessions under marks get their ends on record, and nobody else. A new session is not under
// an old mark, before and after.
func testSweepMarks(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	const users = 30
	var under, spared []session.Snapshot
	for n := range users {
		s := small(fmt.Sprintf("u%d", n))
		s.Session.ClientID = []string{"app", "app2", "app3"}[n%3]
		s = f.add(t, s)
		if n%3 == 1 || n == 3 {
			under = append(under, s)
		} else {
			spared = append(spared, s)
		}
	}
	f.mark(t, revocation.ClientScope("app2"), after(1))
	f.mark(t, revocation.UserScope("u3"), after(1))
	late := small("u1")
	late.Session.ClientID = "app2"
	spared = append(spared, f.add(t, late))
	if f.Live() != users+1 {
		t.Errorf("before the sweep %d sessions have no end on record", f.Live())
	}
	if swept := f.sweepAll(t, after(2)); swept.Ended != len(under) || f.Live() != int64(len(spared)) {
		t.Errorf("%+v, %d live; %d were under marks, %d are not", swept, f.Live(), len(under), len(spared))
	}
	for _, s := range under {
		f.wantEnd(t, idOf(s), after(1), session.ReasonServiceRevoked)
	}
	for _, s := range spared {
		equal(t, "a session under no mark", f.load(t, idOf(s)), s)
	}
	f.mark(t, revocation.EverythingScope(), after(3))
	if swept := f.sweepAll(t, after(4)); swept.Ended != len(spared) || f.Live() != 0 {
		t.Errorf("after a mark over everything: %+v, %d live", swept, f.Live())
	}
}

// One sweep does a bounded part. The sum is exact, also when the store is closed or crashes
// in between.
func testSweepBounded(t *testing.T, harness Harness) {
	const (
		sessions = 1200
		most     = 500 // in one sweep: others wait meanwhile
	)
	f := newFixture(t, harness, 1)
	f.crowd(t, sessions)
	f.mark(t, revocation.EverythingScope(), after(1))
	f.sweepInParts(t, after(1), most, func(s session.Swept) int { return s.Ended }, sessions)
	ends := 0
	for _, fa := range f.facts(t, 0) {
		if fa.Kind == fact.Ended {
			ends++
		}
	}
	if ends != sessions || f.Live() != 0 {
		t.Errorf("%d ends are facts of %d, %d live", ends, sessions, f.Live())
	}
	f.sweepInParts(t, after(1).Add(history), most, func(s session.Swept) int { return s.Forgotten }, sessions)
	if left := f.list(t, session.Query{Ended: true}, 100); len(left) > 0 {
		t.Errorf("%d sessions are not forgotten", len(left))
	}
}

// crowd adds many sessions of many users.
func (f *fixture) crowd(t failer, sessions int) {
	t.Helper()
	const workers = 24
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w; n < sessions; n += workers {
				f.add(t, small(fmt.Sprintf("u%d", n%97)))
			}
		})
	}
	wg.Wait()
}

// sweepInParts sweeps to the end, which takes several sweeps, and counts what they do.
func (f *fixture) sweepInParts(t failer, now time.Time, most int, count func(session.Swept) int, want int) {
	t.Helper()
	sum := 0
	for n := 0; ; n++ {
		swept := f.sweep(t, now)
		if count(swept) > most {
			t.Errorf("one sweep did %d", count(swept))
		}
		sum += count(swept)
		if !swept.More {
			break
		}
		switch n {
		case 1:
			f.reopen()
		case 2:
			f.crash()
		}
	}
	if sum != want {
		t.Errorf("the sweeps did %d, of %d", sum, want)
	}
}

// Sweeping, ending and using the same sessions at once ends each of them once.
func testSweepAtOnce(t *testing.T, harness Harness) {
	const sessions = 60
	f := newFixture(t, harness, 2)
	var ids []sid.ID
	for range sessions {
		ids = append(ids, idOf(f.add(t, small("u1"))))
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := range sessions {
				f.change(t, ids[(n*7+w)%sessions], ending(after(59), session.ReasonSignOut))
			}
		})
	}
	for _, at := range f.issuers {
		wg.Go(func() {
			for range 10 {
				if _, err := at.Sweep(t.Context(), session.SweepRequest{Now: after(60), Judge: judge(after(60))}); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for range 2 {
		ends := map[sid.ID]int{}
		for _, fa := range f.facts(t, 0) {
			if fa.Kind == fact.Ended {
				ends[fa.SID]++
			}
		}
		for _, id := range ids {
			if end := f.load(t, id).End; ends[id] != 1 || end.IsZero() {
				t.Errorf("%s was ended %d times, with %+v", id, ends[id], end)
			}
		}
		if f.Live() != 0 {
			t.Errorf("%d sessions live", f.Live())
		}
		f.crash()
	}
}
