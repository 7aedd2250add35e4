package storetest

import (
	"fmt"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/session"
)

// Revocations are cut from the oldest on, up to the first that verifiers still need.
func testSweepRevocations(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	lives := []time.Duration{10 * time.Minute, 20 * time.Minute, 500 * time.Minute, 30 * time.Minute}
	for _, life := range lives {
		c := ending(after(0), session.ReasonSignOut)
		c.End.Notice.Life = life
		f.change(t, idOf(f.add(t, small("u1"))), c)
	}
	made, _ := f.revocations(t)
	for _, step := range []struct {
		minute, kept int
	}{{9, 4}, {11, 3}, {19, 3}, {21, 2}, {35, 2}, {499, 2}, {501, 0}} {
		f.sweepAll(t, after(step.minute))
		got, first := f.revocations(t)
		if first != uint64(4-step.kept+1) {
			t.Errorf("in minute %d the first revocation is %d; %d of 4 are needed", step.minute, first, step.kept)
		}
		equal(t, fmt.Sprintf("revocations in minute %d", step.minute), got, made[4-step.kept:])
	}
	f.crash()
	f.end(t, idOf(f.add(t, small("u1"))), session.ReasonSignOut)
	if got, first := f.revocations(t); len(got) != 1 || got[0].Seq != 5 || first != 5 {
		t.Errorf("a number was given twice, or left out: %v from %d", got, first)
	}
}

// Facts that are younger than their time are all there, whatever was cut before them.
func testSweepYoungFacts(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	const steps = 20
	for n := range steps {
		now := start().Add(time.Duration(n) * Retention / 10)
		young := f.lastFact(t) + 1
		if err := f.Record(t.Context(), fact.Fact{Kind: fact.Administered, At: now, What: "test"}); err != nil {
			t.Fatal(err)
		}
		f.sweepAll(t, now.Add(Retention-time.Minute))
		facts, first, err := f.Facts(t.Context(), 0, plenty)
		if err != nil || len(facts) == 0 || facts[0].Number != first || first > young || facts[len(facts)-1].Number != young {
			t.Errorf("step %d: %d facts from %d are there, and %d is young: %v", n, len(facts), first, young, err)
		}
		for i, fa := range facts {
			if fa.Number != first+uint64(i) {
				t.Errorf("step %d: fact %d comes where %d was to come", n, fa.Number, first+uint64(i))
			}
		}
	}
}

// Facts are kept for their time, and cut from the oldest on. Their numbers go on.
func testSweepFacts(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	for n := range 4 {
		f.end(t, idOf(f.add(t, small(fmt.Sprintf("u%d", n)))), session.ReasonSignOut)
	}
	last := f.lastFact(t)
	f.sweepAll(t, start().Add(Retention-time.Minute))
	facts, first, err := f.Facts(t.Context(), 0, plenty)
	if first != 1 || len(facts) != 8 || err != nil {
		t.Errorf("within their time, %d facts from %d are there: %v", len(facts), first, err)
	}
	now := start().Add(3 * Retention)
	f.sweepAll(t, now)
	facts, first, err = f.Facts(t.Context(), 0, plenty)
	if first != last+1 || len(facts) > 0 || err != nil {
		t.Errorf("after their time, %d facts from %d are there: %v", len(facts), first, err)
	}
	f.reopen()
	if head := f.lastFact(t); head != last {
		t.Errorf("the newest fact was %d, and is now %d", last, head)
	}
	f.add(t, begun("u1", now))
	f.crash()
	if facts, first, err = f.Facts(t.Context(), 0, plenty); first != last+1 || len(facts) != 1 || facts[0].Number != first || err != nil {
		t.Errorf("the next fact is %v from %d: %v", facts, first, err)
	}
}
