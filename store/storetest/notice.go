package storetest

import (
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
)

func testNotice(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Until":        testNoticeUntil,
		"ClockAhead":   testNoticeClockAhead,
		"Reported":     testNoticeReported,
		"NeedNotKnow":  testNoticeZero,
		"RaisedLonger": testNoticeRaised,
	})
}

// lastRevocation is the newest fact that verifiers must know of.
func (f *fixture) lastRevocation(t failer) (last fact.Fact) {
	t.Helper()
	for _, fa := range f.facts(t, 0) {
		if fa.Revocation > 0 {
			last = fa
		}
	}
	return last
}

// wantUntil fails unless verifiers need the newest revocation until tokens have expired that
// are dated with the first of two times, and no longer than the second allows.
func (f *fixture) wantUntil(t failer, what string, least, most time.Time) (last fact.Fact) {
	t.Helper()
	last = f.lastRevocation(t)
	if last.Until.Before(least.Add(tokenLife)) || last.Until.After(most.Add(reserved).Add(tokenLife)) {
		t.Errorf("%s is kept for verifiers until %v, not as for tokens from between %v and %v", what, last.Until, least, most)
	}
	return last
}

// Verifiers need a revocation until the last token has expired that it could concern.
func testNoticeUntil(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	c := ending(after(30), session.ReasonSignOut)
	c.End.Notice.Issued = after(33) // of the issuer's other sessions
	f.change(t, idOf(s[0]), c)
	if got := f.wantUntil(t, "an end", after(33), after(33)); got.SID != idOf(s[0]) {
		t.Errorf("the revocation is %+v", got)
	}
	m := f.mark(t, revocation.UserScope("u1"), after(40))
	if got := f.wantUntil(t, "a mark", after(40), after(40)); m.Mark.Until != got.Until {
		t.Errorf("the revocation is %+v, the mark %+v", got, m.Mark)
	}
	created, err := f.Create(t.Context(), limited(begun("u1", after(50)), 1, session.LimitEvictOldest))
	if err != nil || len(created.Evicted) > 0 {
		t.Errorf("%v, evicted %v", err, created.Evicted)
	}
	created, err = f.Create(t.Context(), limited(begun("u1", after(51)), 1, session.LimitEvictOldest))
	if got := f.wantUntil(t, "an eviction", after(51), after(51)); err != nil || got.SID != idOf(created.Evicted[0]) {
		t.Errorf("the revocation of an evicted session is %+v, %v", got, err)
	}
}

// An issuer whose clock is ahead may have dated tokens with times that this one has not
// seen. The store has them on record, also after it was closed or has crashed.
func testNoticeClockAhead(t *testing.T, harness Harness) {
	ahead := start().Add(time.Hour)
	for what, date := range map[string]func(f *fixture) session.Snapshot{
		"created": func(f *fixture) session.Snapshot { return createAt(t, f.issuers[1], begun("u1", ahead)) },
		"refreshed": func(f *fixture) session.Snapshot {
			s := createAt(t, f.issuers[1], small("u1"))
			st := s.State
			st.LastSeenAt, st.RedeemedAt = ahead, ahead
			return changeAt(t, f.issuers[1], idOf(s), session.Change{State: &st})
		},
		"authenticated": func(f *fixture) session.Snapshot {
			s := createAt(t, f.issuers[1], small("u1"))
			record := s.Session
			record.AuthTime = ahead
			return changeAt(t, f.issuers[1], idOf(s), session.Change{Session: &record})
		},
	} {
		for again, restart := range map[string]func(f *fixture){
			"at once": func(*fixture) {}, "reopened": (*fixture).reopen, "crashed": (*fixture).crash,
		} {
			f := newFixture(t, harness, 2)
			dated := date(f)
			other := createAt(t, f, small("u1"))
			restart(f)
			f.change(t, idOf(other), ending(after(1), session.ReasonSignOut))
			f.wantUntil(t, what+", "+again+": the end of another session", after(1), ahead)
			for _, scope := range revocation.ScopesOf("u1", "app") {
				m := f.mark(t, scope, after(2))
				got := f.wantUntil(t, what+", "+again+": a mark", ahead, ahead)
				equal(t, what+", "+again+": the mark's end", m.Mark.Until, got.Until)
			}
			f.change(t, idOf(dated), ending(after(3), session.ReasonSignOut))
			f.wantUntil(t, what+", "+again+": its own end", ahead, ahead)
		}
	}
}

// An issuer can date a token without a write. It reports that when it sweeps.
func testNoticeReported(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	ahead := start().Add(time.Hour)
	if _, err := f.issuers[1].Sweep(t.Context(), session.SweepRequest{Now: start(), Judge: judge(start()), Issued: ahead}); err != nil {
		t.Fatal(err)
	}
	for _, scope := range revocation.ScopesOf("u1", "app") {
		f.mark(t, scope, after(2))
		f.wantUntil(t, "a mark", ahead, ahead)
	}
}

// Without a notice, a revocation is a fact like any other.
func testNoticeZero(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	c := ending(after(30), session.ReasonSignOut)
	c.End.Notice = session.Notice{}
	f.change(t, idOf(s[0]), c)
	if entries, _ := f.revocations(t); len(entries) > 0 || f.lastRevocation(t).Number != 0 {
		t.Errorf("verifiers need not know, and learn %v", entries)
	}
	f.end(t, idOf(s[1]), session.ReasonSignOut)
	if entries, _ := f.revocations(t); len(entries) != 1 || entries[0].Seq != 1 || entries[0].SID != idOf(s[1]) {
		t.Errorf("the revocations are %v", entries)
	}
}

// A mark that rises is kept for verifiers as long as either of the two is needed.
func testNoticeRaised(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	m := markRequest(revocation.UserScope("u1"), after(5))
	m.Notice.Life = time.Hour
	long := markAt(t, f, m)
	m.At, m.Notice = after(6), notice(after(6))
	raised := markAt(t, f, m)
	if raised.Mark.Until.Before(long.Mark.Until) {
		t.Errorf("it was kept until %v, and is now until %v", long.Mark.Until, raised.Mark.Until)
	}
	for _, snap := range s {
		if !covered(f.load(t, idOf(snap))) {
			t.Errorf("%s is not under the mark", idOf(snap))
		}
	}
}
