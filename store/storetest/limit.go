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
)

func testLimit(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){
		"EvictOldest": testEvictOldest,
		"EvictIdle":   testEvictIdle,
		"Refuse":      testRefuse,
		"LiveOnly":    testLimitLiveOnly,
		"Lowered":     testLimitLowered,
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
