package journal

import (
	"testing"

	"issuer.example/sid"
)

// sees fails the test unless a snapshot of a transaction sees that state of a session; nil
// is the one in the bucket.
func sees(t *testing.T, o *overlay, id sid.ID, at uint64, want *State) {
	t.Helper()
	got := o.at(id, at)
	if (got == nil) != (want == nil) || got != nil && *got != *want {
		t.Errorf("a snapshot of %d sees %v, want %v", at, got, want)
	}
}

// What was folded by a transaction is kept while a snapshot can be older than that, and not
// for longer.
func TestReleaseKeepsWhatReadersNeed(t *testing.T) {
	o := overlay{active: newGeneration()}
	id, state := sid.ID{15: 1}, State{1}
	o.put(id, state, 5, 0)
	o.seal()
	o.retire(10)
	o.release(9)
	sees(t, &o, id, 9, &state)
	sees(t, &o, id, 4, nil)
	o.release(10)
	sees(t, &o, id, 10, nil)
	if len(o.retired) != 0 {
		t.Error("it is kept for no reader")
	}
}

// Of the states that a session had, those are kept that a snapshot can see.
func TestPutKeepsWhatReadersNeed(t *testing.T) {
	o := overlay{active: newGeneration()}
	id := sid.ID{15: 1}
	states := []State{{0}, {1}, {2}, {3}, {4}}
	for tx := uint64(1); tx <= 3; tx++ {
		o.put(id, states[tx], tx, 0)
	}
	o.put(id, states[4], 4, 2)
	for tx := uint64(2); tx <= 4; tx++ {
		sees(t, &o, id, tx, &states[tx])
	}
	sees(t, &o, id, 1, nil)
	// Two of one transaction: nobody sees the first.
	o.put(id, states[0], 4, 4)
	sees(t, &o, id, 4, &states[0])
	sees(t, &o, id, 3, &states[3])
}

// The oldest snapshot is that of the reader who entered first of those who are there.
func TestOldestReader(t *testing.T) {
	j := New(Buckets{}, 0)
	enter := func(low uint64) *Reader { return j.Enter(func() uint64 { return low }) }
	if got := j.readers.oldest(7); got != 7 || !j.OldestReader().IsZero() {
		t.Errorf("without readers: %d", got)
	}
	first, second, third := enter(3), enter(4), enter(4)
	for _, step := range []struct {
		leaves *Reader
		want   uint64
	}{{second, 3}, {first, 4}, {third, 9}} {
		j.Leave(step.leaves)
		if got := j.readers.oldest(9); got != step.want {
			t.Errorf("the oldest is %d, want %d", got, step.want)
		}
	}
	enter(8)
	if got := j.readers.oldest(7); got != 7 || j.OldestReader().IsZero() {
		t.Errorf("one that is newer than the limit: %d", got)
	}
}
