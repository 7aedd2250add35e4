package feed_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"issuer.example/feed"
)

// A reader that is behind by more than it is given at once gets the alive after the last
// event that it covers, and not before.
func TestAliveComesAfterItsEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 200
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), entries))
		defer f.run(t)()
		f.until(t, f.reader(t, entries), func(m message) bool { return m.alive != nil }) // it is signed now
		var seq uint64
		alive := f.until(t, f.reader(t, 0), func(m message) bool {
			if m.event != nil {
				seq = m.event.Entry.Seq
			}
			return m.alive != nil
		})
		if seq != entries || alive.alive.Seq != entries {
			t.Errorf("the alive for %d comes after event %d", alive.alive.Seq, seq)
		}
	})
}

// An alive that is already signed comes before the events that it does not cover. Otherwise
// it would be of no use any more, and under a steady load no reader would ever get one.
func TestAliveComesBeforeLaterEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 2))
		defer f.run(t)()
		f.until(t, f.reader(t, 2), func(m message) bool { return m.alive != nil })
		must(t, f.revoke(t.Context(), 1))
		synctest.Wait() // for the hub to read it
		r := f.reader(t, 1)
		var order []uint64
		f.until(t, r, func(m message) bool {
			if m.alive != nil {
				order = append(order, 100+m.alive.Seq)
				return false
			}
			order = append(order, m.event.Entry.Seq)
			return m.event.Entry.Seq == 3
		})
		if !slices.Equal(order, []uint64{2, 102, 3}) {
			t.Errorf("the messages come as %d; an alive for n is 100 + n", order)
		}
	})
}

// unnoticed is a log that tells nobody what is added to it.
type unnoticed struct{ feed.Log }

func (unnoticed) Watch(context.Context) <-chan struct{} { return nil }

// An alive covers what was committed before it was signed, even if the hub was not told: it
// reads the log first.
func TestAliveCoversWhatIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *feed.Config) { c.Log = unnoticed{c.Log} })
		defer f.run(t)()
		r := f.reader(t, 0)
		f.until(t, r, func(m message) bool { return m.alive != nil })
		for round := uint64(1); round <= 3; round++ {
			must(t, f.revoke(t.Context(), 1))
			alive := f.until(t, r, func(m message) bool { return m.alive != nil })
			if alive.alive.Seq != round {
				t.Errorf("round %d: the alive is for %d", round, alive.alive.Seq)
			}
		}
	})
}
