package move

import (
	"errors"
	"fmt"
	"iter"

	"issuer.example/fact"
	"issuer.example/store"
)

// ErrIncomplete means that the source does not hold what it says it does.
var ErrIncomplete = errors.New("the source is damaged")

// whole passes on the items of a source, and fails if something is missing among them.
func whole(items iter.Seq2[store.Item, error]) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		var c count
		for item, err := range items {
			if err == nil {
				err = c.add(item)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
		if err := c.end(); err != nil {
			yield(store.Item{}, err)
		}
	}
}

// count is what has been seen of an archive, and what its totals announce.
type count struct {
	totals            store.Totals
	live, ended       int64
	marks             int64
	fact, revocation  uint64 // the numbers that come next
	sawTotals, sawKey bool
}

func (c *count) add(i store.Item) error {
	switch {
	case i.Totals != nil:
		c.totals, c.sawTotals = *i.Totals, true
		c.fact, c.revocation = c.totals.FirstFact, c.totals.FirstRevocation
	case i.Keys != nil:
		c.sawKey = true
	case i.Mark != nil:
		c.marks++
	case i.Fact != nil:
		return c.addFact(i.Fact)
	case i.Session != nil && i.Session.End.IsZero():
		c.live++
	case i.Session != nil:
		c.ended++
	}
	return nil
}

// addFact checks that neither numbers of facts nor those of revocations have a gap. A revocation
// whose time is over can be among the facts still.
func (c *count) addFact(f *fact.Fact) error {
	if f.Number != c.fact {
		return fmt.Errorf("%w: it has fact %d where fact %d belongs", ErrIncomplete, f.Number, c.fact)
	}
	c.fact++
	if f.Revocation < c.totals.FirstRevocation {
		return nil
	}
	if f.Revocation != c.revocation {
		return fmt.Errorf("%w: it has revocation %d where revocation %d belongs", ErrIncomplete, f.Revocation, c.revocation)
	}
	c.revocation++
	return nil
}

func (c *count) end() error {
	t := &c.totals
	switch {
	case !c.sawTotals || !c.sawKey:
		return fmt.Errorf("%w: it has no totals or no keys", ErrIncomplete)
	case c.live != t.Live || c.ended != t.Ended || c.marks != t.Marks:
		return fmt.Errorf("%w: it has %d live and %d ended sessions and %d marks, not %d, %d and %d",
			ErrIncomplete, c.live, c.ended, c.marks, t.Live, t.Ended, t.Marks)
	case c.fact != t.Fact+1 || c.revocation != t.Revocation+1:
		return fmt.Errorf("%w: its facts end before %d and its revocations before %d; the newest are %d and %d",
			ErrIncomplete, c.fact, c.revocation, t.Fact, t.Revocation)
	}
	return nil
}
