package storetest

import (
	"fmt"
	"strconv"
	"testing"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
)

func testJournal(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Facts":   testFacts,
		"Refresh": testRefreshNoFact,
		"Given":   testFactsGiven,
		"Pages":   testJournalPages,
		"Agree":   testJournalsAgree,
		"Order":   testJournalOrder,
		"Reused":  testNumbersNotReused,
	})
}

// wantFacts fails unless these facts, in any order, follow a number, and nothing else does.
// What the store gives, their numbers and for how long verifiers need them, is checked for
// gaps and taken over.
func (f *fixture) wantFacts(t failer, what string, after uint64, want ...fact.Fact) {
	t.Helper()
	got := f.facts(t, after)
	for i := range got {
		if got[i].Number != after+uint64(i)+1 {
			t.Errorf("%s: fact %d follows %d", what, got[i].Number, after+uint64(i))
		}
	}
	sortFacts(got)
	sortFacts(want)
	for i := range want {
		if i < len(got) {
			want[i].Number = got[i].Number
			if want[i].Revocation > 0 && got[i].Revocation > 0 {
				want[i].Revocation, want[i].Until = got[i].Revocation, got[i].Until
			}
		}
	}
	equal(t, what, got, want)
}

// known marks a fact that verifiers must know of.
const known = 1

// Each change writes its facts, once.
func testFacts(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.create(t, small("u1"), begun("u1", after(1)), begun("u2", after(2)))
	first := fact.Fact{Kind: fact.Created, At: start(), SID: idOf(s[0]), By: "backend"}
	second, third := first, first
	second.At, second.SID, third.At, third.SID = after(1), idOf(s[1]), after(2), idOf(s[2])
	f.wantFacts(t, "three sessions", 0, first, second, third)

	f.end(t, idOf(s[0]), session.ReasonSignOut)
	f.wantFacts(t, "an end", 3, fact.Fact{
		Kind: fact.Ended, At: after(30), SID: idOf(s[0]), What: "sign_out", By: "backend", Revocation: known,
	})
	m := f.mark(t, revocation.ClientScope("app"), after(31))
	f.wantFacts(t, "a mark", 4, fact.Fact{
		Kind: fact.Marked, At: after(31), SID: m.Mark.SID, Scope: revocation.ClientScope("app"),
		What: "revoked_by_service", By: "backend", Revocation: known,
	})
	f.sweepAll(t, after(31))
	ended := fact.Fact{Kind: fact.Ended, At: after(31), SID: idOf(s[1]), What: "revoked_by_service"}
	other := ended
	other.SID = idOf(s[2])
	f.wantFacts(t, "what the mark has ended", 5, ended, other)
	idle := f.add(t, begun("u1", after(32)))
	created := fact.Fact{Kind: fact.Created, At: after(32), SID: idOf(idle), By: "backend"}
	f.sweepAll(t, after(92))
	f.wantFacts(t, "a session that is idle", 7, created,
		fact.Fact{Kind: fact.Ended, At: after(92), SID: idOf(idle), What: "idle"})
	f.testFactsOfLimits(t)
}

// testFactsOfLimits does the same for what the limit ends, and a mark that spares its holder.
func (f *fixture) testFactsOfLimits(t failer) {
	t.Helper()
	old := f.add(t, begun("u3", after(100)))
	last := f.lastFact(t)
	c, err := f.Create(t.Context(), limited(begun("u3", after(101)), 1, session.LimitEvictOldest))
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	f.wantFacts(t, "an eviction", last,
		fact.Fact{Kind: fact.Ended, At: after(101), SID: idOf(old), What: "session_limit", Revocation: known},
		fact.Fact{Kind: fact.Created, At: after(101), SID: idOf(c.Session), By: "backend"})

	newer := f.add(t, begun("u3", after(102)))
	last = f.lastFact(t)
	m := markRequest(revocation.UserScope("u3"), after(103))
	m.Holder, m.SpareHolder = idOf(c.Session), true
	marked := markAt(t, f, m)
	f.wantFacts(t, "a mark that spares its holder", last,
		fact.Fact{
			Kind: fact.Marked, At: after(103), SID: marked.Mark.SID, Scope: m.Scope,
			What: "revoked_by_service", By: "backend", Revocation: known,
		},
		fact.Fact{
			Kind: fact.Ended, At: after(103), SID: idOf(newer), What: "revoked_by_service", By: "backend", Revocation: known,
		})
}

// A refresh changes the state and nothing else: it writes no fact.
func testRefreshNoFact(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	last := f.lastFact(t)
	for range 20 {
		if _, err := advance(t, f, idOf(s)); err != nil {
			t.Fatal(err)
		}
	}
	f.wantFacts(t, "twenty refreshes", last)
}

// Facts that a change carries, and those of administration, are kept as they were given.
func testFactsGiven(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	last := f.lastFact(t)
	given := []fact.Fact{
		{Kind: fact.Changed, At: after(1), SID: idOf(s), What: "reauthenticated", By: "backend"},
		{Kind: fact.Administered, At: after(1), SID: idOf(s), What: "looked at"},
	}
	c := ending(after(2), session.ReasonSignOut)
	c.Facts = given
	f.change(t, idOf(s), c)
	f.wantFacts(t, "a change with facts", last, given[0], given[1], fact.Fact{
		Kind: fact.Ended, At: after(2), SID: idOf(s), What: "sign_out", By: "backend", Revocation: known,
	})
	last = f.lastFact(t)
	admin := fact.Fact{Kind: fact.Administered, At: after(3), What: "backup", By: "operator"}
	if err := f.Record(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	f.wantFacts(t, "a recorded fact", last, admin)
	f.crash()
	f.wantFacts(t, "a recorded fact, after a crash", last, admin)
}

// A reader reads on from any number, in pages of any size.
func testJournalPages(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	if facts, first, err := f.Facts(t.Context(), 0, 9); len(facts) > 0 || first != 1 || err != nil {
		t.Errorf("an empty journal: %v from %d, %v", facts, first, err)
	}
	if entries, first := f.revocations(t); len(entries) > 0 || first != 1 {
		t.Errorf("no revocations: %v from %d", entries, first)
	}
	for n := range 3 {
		f.end(t, idOf(f.add(t, small(strconv.Itoa(n)))), session.ReasonSignOut)
	}
	facts := f.facts(t, 0)
	entries, _ := f.revocations(t)
	if len(facts) != 6 || len(entries) != 3 {
		t.Fatalf("%d facts, %d revocations", len(facts), len(entries))
	}
	for _, after := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 1 << 40, 1<<64 - 1} {
		for limit := range 8 {
			got, first, err := f.Facts(t.Context(), after, limit)
			equal(t, fmt.Sprintf("%d facts after %d", limit, after), got, page(facts, after, limit))
			if first != 1 || err != nil {
				t.Errorf("first %d, %v", first, err)
			}
			read, first, err := f.Revocations(t.Context(), after, limit)
			equal(t, fmt.Sprintf("%d revocations after %d", limit, after), read, page(entries, after, limit))
			if first != 1 || err != nil {
				t.Errorf("first %d, %v", first, err)
			}
		}
	}
}

// page is what follows the first so many, up to a limit.
func page[T any](all []T, after uint64, limit int) []T {
	all = all[min(after, uint64(len(all))):]
	return all[:min(limit, len(all))]
}

// The revocations are the facts that verifiers must know of.
func testJournalsAgree(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 2)
	f.various(t)
	for range 2 {
		var want []revocation.Entry
		for _, fa := range f.facts(t, 0) {
			if e, ok := fa.Entry(); ok {
				want = append(want, e)
				if e.Seq != uint64(len(want)) {
					t.Errorf("revocation %d follows %d", e.Seq, len(want)-1)
				}
			}
		}
		got, first := f.revocations(t)
		equal(t, "revocations", got, want)
		if first != 1 || len(want) != 12 {
			t.Errorf("%d revocations from %d", len(want), first)
		}
		f.crash()
	}
}

// various does a little of everything.
func (f *fixture) various(t failer) {
	t.Helper()
	for n := range 10 {
		s := createAt(t, f.issuers[n%len(f.issuers)], small(fmt.Sprintf("u%d", n%3)))
		switch n % 5 {
		case 0:
			f.end(t, idOf(s), session.ReasonSignOut)
		case 1:
			f.mark(t, revocation.UserScope(s.Session.User.ID), after(n))
		case 2:
			f.mark(t, revocation.ClientScope("app"), after(n))
			f.sweepAll(t, after(n))
		case 3:
			f.mark(t, revocation.EverythingScope(), after(n))
		case 4:
			if _, err := f.Create(t.Context(), limited(small("limited"), 1, session.LimitEvictOldest)); err != nil {
				t.Fatalf("create: %v", err)
			}
			if _, err := f.Create(t.Context(), limited(small("limited"), 1, session.LimitEvictOldest)); err != nil {
				t.Fatalf("create: %v", err)
			}
			if err := f.Record(t.Context(), fact.Fact{Kind: fact.Administered, At: after(n), What: "test"}); err != nil {
				t.Fatalf("record: %v", err)
			}
			f.mark(t, revocation.UserScope("limited"), after(n))
		}
	}
}
