package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

func testLimit(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){
		"EvictOldest": testEvictOldest,
		"EvictIdle":   testEvictIdle,
		"Refuse":      testRefuse,
		"LiveOnly":    testLimitLiveOnly,
		"Lowered":     testLimitLowered,
		"LoweredFar":  testLimitLoweredFar,
		"Unclaimed":   testLimitUnclaimed,
		"Claimed":     testLimitClaimed,
		"Replaces":    testReplaces,
	}
	for name, clocks := range clocks() {
		for _, policy := range []session.LimitPolicy{session.LimitEvictOldest, session.LimitEvictIdle, session.LimitRefuse} {
			parts[fmt.Sprintf("Parallel/%s/%s", policy, name)] = func(t *testing.T, h Harness) {
				testLimitParallel(t, h, policy, clocks)
			}
		}
	}
	subtests(t, harness, parts)
}

// limited asks for a session of a user who may have so many.
func limited(s session.Snapshot, most int, policy session.LimitPolicy) session.CreateRequest {
	c := request(s)
	c.Limit.Max, c.Limit.Policy = most, policy
	return c
}

// wantEvicted fails unless these sessions were evicted, and are on record as that.
func (f *fixture) wantEvicted(t failer, created session.Created, want ...session.Snapshot) {
	t.Helper()
	byID := func(a, b session.Snapshot) int { return idOf(a).Compare(idOf(b)) }
	evicted := slices.SortedFunc(slices.Values(created.Evicted), byID)
	slices.SortFunc(want, byID)
	for i := range want {
		if i < len(evicted) {
			want[i].End = evicted[i].End
		}
	}
	equal(t, "evicted", evicted, want)
	for _, s := range evicted {
		if s.End.IsZero() || s.End.Reason != session.ReasonLimit {
			t.Errorf("an evicted session has the end %+v", s.End)
		}
		equal(t, "evicted, on record", f.load(t, idOf(s)), s)
	}
}

func testEvictOldest(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	other := f.add(t, small("u2"))
	s := f.create(t, begun("u1", after(0)), begun("u1", after(1)), begun("u1", after(2)))
	used := s[0].State
	used.LastSeenAt = after(9)
	s[0] = f.change(t, idOf(s[0]), session.Change{State: &used}) // used last, but the oldest
	created, err := f.Create(t.Context(), limited(begun("u1", after(10)), 3, session.LimitEvictOldest))
	if err != nil {
		t.Fatal(err)
	}
	f.wantEvicted(t, created, s[0])
	f.wantUser(t, "u1", false, created.Session, s[2], s[1])
	f.wantUser(t, "u2", false, other)
	if f.Live() != 4 {
		t.Errorf("%d sessions live", f.Live())
	}
}

func testEvictIdle(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, begun("u1", after(0)), begun("u1", after(1)), begun("u1", after(2)))
	used := s[0].State
	used.LastSeenAt = after(9)
	s[0] = f.change(t, idOf(s[0]), session.Change{State: &used})
	created, err := f.Create(t.Context(), limited(begun("u1", after(10)), 3, session.LimitEvictIdle))
	if err != nil {
		t.Fatal(err)
	}
	f.wantEvicted(t, created, s[1])
	f.wantUser(t, "u1", false, created.Session, s[2], s[0])
}

// A refused session leaves no trace.
func testRefuse(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"))
	before := f.lastFact(t)
	if _, err := f.Create(t.Context(), limited(small("u1"), 2, session.LimitRefuse)); !errors.Is(err, session.ErrLimit) {
		t.Errorf("one session too many: %v", err)
	}
	f.wantUser(t, "u1", false, s[1], s[0])
	if facts := f.facts(t, before); len(facts) > 0 || f.Live() != 2 {
		t.Errorf("a refused session left %v; %d sessions live", facts, f.Live())
	}
	if _, err := f.Create(t.Context(), limited(small("u1"), 3, session.LimitRefuse)); err != nil {
		t.Errorf("a session for which there is room: %v", err)
	}
	if _, err := f.Create(t.Context(), limited(small("u2"), 1, session.LimitRefuse)); err != nil {
		t.Errorf("a session of another user: %v", err)
	}
}

// Sessions that have ended do not count: by a record, by the clock, or under a mark.
func testLimitLiveOnly(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	f.add(t, small("u1"))
	f.mark(t, revocation.UserScope("u1"), after(1))
	idle := f.add(t, begun("u1", after(2)))
	f.end(t, idOf(f.add(t, begun("u1", after(30)))), session.ReasonSignOut)
	live := f.add(t, begun("u1", after(50)))
	now := idleEnd(idle)
	created, err := f.Create(t.Context(), limited(begun("u1", now), 2, session.LimitRefuse))
	if err != nil || len(created.Evicted) > 0 {
		t.Errorf("the second live session: %v, %d evicted", err, len(created.Evicted))
	}
	if _, err := f.Create(t.Context(), limited(begun("u1", now), 2, session.LimitRefuse)); !errors.Is(err, session.ErrLimit) {
		t.Errorf("the third live session: %v", err)
	}
	last, err := f.Create(t.Context(), limited(begun("u1", now), 2, session.LimitEvictOldest))
	if err != nil {
		t.Fatal(err)
	}
	f.wantEvicted(t, last, live)
}

// After the limit was lowered, a sign-in ends as many sessions as it takes.
func testLimitLowered(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), small("u1"), small("u1"), small("u1"))
	created, err := f.Create(t.Context(), limited(small("u1"), 2, session.LimitEvictOldest))
	if err != nil {
		t.Fatal(err)
	}
	f.wantEvicted(t, created, s[:3]...)
	f.wantUser(t, "u1", false, created.Session, s[3])
}

// After the limit was lowered far, a sign-in ends all that are too many with one mark, which
// spares those that stay, and verifiers know of it.
func testLimitLoweredFar(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	const many, most = 3 * session.MaxEvicted, 5
	s := make([]session.Snapshot, many)
	for i := range s {
		s[i] = f.add(t, begun("u1", start()))
	}
	other, before := f.add(t, small("u2")), f.lastFact(t)
	created, err := f.Create(t.Context(), limited(begun("u1", after(1)), most, session.LimitEvictOldest))
	if err != nil {
		t.Fatal(err)
	}
	newestEvicted := idOf(s[many-most])
	if len(created.Evicted) > 0 || created.EvictedUpTo != newestEvicted {
		t.Errorf("%d evicted, and all up to %s; want %s", len(created.Evicted), created.EvictedUpTo, newestEvicted)
	}
	if facts := f.facts(t, before); len(facts) != 2 || facts[0].Kind != fact.Marked || facts[0].SID != newestEvicted ||
		facts[0].Until.IsZero() || facts[0].What != string(session.ReasonLimit) {
		t.Errorf("facts: %+v", facts)
	}
	for i, snap := range s {
		got := f.load(t, idOf(snap))
		if evicted := i <= many-most; covered(got) != evicted || evicted && got.Mark.Reason != string(session.ReasonLimit) {
			t.Fatalf("session %d of %d is under the mark %+v", i, many, got.Mark)
		}
	}
	f.sweepAll(t, after(2))
	f.wantUser(t, "u1", false, created.Session, s[many-1], s[many-2], s[many-3], s[many-4])
	f.wantUser(t, "u2", false, other)
	if end := f.load(t, idOf(s[0])).End; end.Reason != session.ReasonLimit {
		t.Errorf("an evicted session ended with %+v", end)
	}
}

// unclaimed is a session that waits for its hand-off code to be claimed.
func unclaimed(user string, at time.Time) session.Snapshot {
	s := begun(user, at)
	s.Session.Unclaimed = true
	return s
}

// A session that waits for its hand-off code to be claimed neither counts nor is evicted.
func testLimitUnclaimed(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	waiting := f.add(t, unclaimed("u1", after(0)))
	first := f.add(t, begun("u1", after(1)))
	for range 3 {
		f.add(t, unclaimed("u1", after(2)))
	}
	second, err := f.Create(t.Context(), limited(begun("u1", after(3)), 2, session.LimitRefuse))
	if err != nil {
		t.Fatalf("a second session: %v", err)
	}
	if _, err := f.Create(t.Context(), limited(begun("u1", after(3)), 2, session.LimitRefuse)); !errors.Is(err, session.ErrLimit) {
		t.Errorf("a third session: %v", err)
	}
	third, err := f.Create(t.Context(), limited(begun("u1", after(3)), 2, session.LimitEvictOldest))
	if err != nil {
		t.Fatal(err)
	}
	f.wantEvicted(t, third, first)
	equal(t, "the unclaimed session", f.load(t, idOf(waiting)), waiting)
	equal(t, "the second session", f.load(t, idOf(second.Session)), second.Session)
}

// claim is the change of a session whose code is claimed at that time.
func claim(s session.Snapshot, at time.Time, most int, policy session.LimitPolicy) session.Change {
	record := s.Session
	record.Unclaimed = false
	a := limited(begun(s.Session.User.ID, at), most, policy).Admission
	return session.Change{Session: &record, Admission: &a}
}

// A session whose code is claimed counts from then on, and is not its own victim.
func testLimitClaimed(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	waiting := f.add(t, unclaimed("u1", after(0)))
	s := f.create(t, begun("u1", after(1)), begun("u1", after(2)))
	before := f.lastFact(t)
	_, err := f.Change(t.Context(), target(idOf(waiting)), always(claim(waiting, after(3), 2, session.LimitRefuse)))
	if !errors.Is(err, session.ErrLimit) {
		t.Errorf("a claim above the limit: %v", err)
	}
	equal(t, "after the refusal", f.load(t, idOf(waiting)), waiting)
	if facts := f.facts(t, before); len(facts) > 0 {
		t.Errorf("a refused claim left %v", facts)
	}
	claimed := f.change(t, idOf(waiting), claim(waiting, after(3), 2, session.LimitEvictOldest))
	f.wantUser(t, "u1", false, s[1], claimed)
	if end := f.load(t, idOf(s[0])).End; end.Reason != session.ReasonLimit || !end.At.Equal(after(3)) {
		t.Errorf("the oldest other session ended with %+v", end)
	}
	if _, err := f.Create(t.Context(), limited(begun("u1", after(4)), 2, session.LimitRefuse)); !errors.Is(err, session.ErrLimit) {
		t.Errorf("a session beside the claimed one: %v", err)
	}
	// Far more sessions began since than one transaction ends one by one: the claimed one stays.
	late := f.add(t, unclaimed("u2", after(5)))
	for range 2 * session.MaxEvicted {
		f.add(t, begun("u2", after(6)))
	}
	if got := f.change(t, idOf(late), claim(late, after(7), 1, session.LimitEvictOldest)); covered(got) || !got.End.IsZero() {
		t.Errorf("the claimed session ended: %+v, %+v", got.End, got.Mark)
	}
}

// A new session ends the one that it replaces before the limit is counted, if that is a live one
// of the same user.
func testReplaces(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, begun("u1", after(0)), begun("u1", after(1)))
	other, ended := f.add(t, begun("u2", after(1))), f.add(t, begun("u1", after(1)))
	ended = f.end(t, idOf(ended), session.ReasonSignOut)
	idle := f.add(t, small("u1"))
	now := idleEnd(idle)
	s[0] = f.change(t, idOf(s[0]), session.Change{State: &session.State{LastSeenAt: now}})
	s[1] = f.change(t, idOf(s[1]), session.Change{State: &session.State{LastSeenAt: now}})
	for _, ignored := range []sid.ID{idOf(other), idOf(ended), idOf(idle), idOf(s[0]).Before(), {}} {
		c := limited(begun("u1", now), 2, session.LimitRefuse)
		c.Replaces = ignored
		if _, err := f.Create(t.Context(), c); !errors.Is(err, session.ErrLimit) {
			t.Errorf("a third session that replaces %s: %v", ignored, err)
		}
	}
	c := limited(begun("u1", now), 2, session.LimitRefuse)
	c.Replaces = idOf(s[1])
	created, err := f.Create(t.Context(), c)
	if err != nil || len(created.Evicted) > 0 {
		t.Fatalf("a session that replaces another: %v, evicted %v", err, created.Evicted)
	}
	if end := f.load(t, idOf(s[1])).End; end.Reason != session.ReasonReplaced || !end.At.Equal(now) {
		t.Errorf("the replaced session ended with %+v", end)
	}
	if got := f.lastRevocation(t); got.SID != idOf(s[1]) {
		t.Errorf("verifiers know of %+v last", got)
	}
	equal(t, "another user's", f.load(t, idOf(other)), other)
	equal(t, "an ended one", f.load(t, idOf(ended)), ended)
}

// The limit holds exactly, however many sign-ins of a user run at once, at whichever issuer.
func testLimitParallel(t *testing.T, harness Harness, policy session.LimitPolicy, clocks []time.Duration) {
	const (
		most    = 3
		workers = 8
		each    = 4
	)
	f := newFixture(t, harness, len(clocks))
	var (
		wg               sync.WaitGroup
		created, refused atomic.Int64
		mu               sync.Mutex
		evicted          = map[string]int{}
	)
	for w := range workers {
		wg.Go(func() {
			for range each {
				now := start().Add(clocks[w%len(clocks)])
				c, err := f.issuers[w%len(clocks)].Create(t.Context(), limited(begun("u1", now), most, policy))
				switch {
				case err == nil:
					created.Add(1)
				case policy == session.LimitRefuse && errors.Is(err, session.ErrLimit):
					refused.Add(1)
				default:
					t.Errorf("create: %v", err)
				}
				mu.Lock()
				for _, s := range c.Evicted {
					evicted[idOf(s).String()]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	f.wantLimited(t, most, int(created.Load()), evicted)
	if policy == session.LimitRefuse && created.Load() != most {
		t.Errorf("%d sessions were created, %d refused; %d are allowed", created.Load(), refused.Load(), most)
	}
}

// wantLimited fails unless most of the created sessions of u1 are live, and the others were
// evicted once each.
func (f *fixture) wantLimited(t failer, most, created int, evicted map[string]int) {
	t.Helper()
	live := f.list(t, session.Query{UserID: "u1"}, plenty)
	if len(live) != most || f.Live() != int64(most) || len(evicted) != created-most {
		t.Errorf("%d sessions live, %d counted, %d evicted of %d; %d are allowed", len(live), f.Live(), len(evicted), created, most)
	}
	ends := map[string]int{}
	for _, fa := range f.facts(t, 0) {
		if fa.Kind == fact.Ended {
			ends[fa.SID.String()]++
		}
	}
	equal(t, "facts of evictions", ends, evicted)
	for id, n := range evicted {
		if n != 1 {
			t.Errorf("%s was evicted %d times", id, n)
		}
	}
}
