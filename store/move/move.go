package move

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"issuer.example/keys"
	"issuer.example/store"
)

// ErrEmpty means that there is nothing to move: the source was never used.
var ErrEmpty = errors.New("the source is empty; are the source and the target the wrong way round?")

// Progress is told how far a copy is. A step begins when the one before has ended.
type Progress interface {
	Begin(step string, items int64)
	Done(items int64) // of the step, since the last call
}

// progressEvery is how many items are reported at once.
const progressEvery = 256

// Copy fills a new store with all that another holds, reads it back, and compares everything. It
// returns what was copied. After an error the target is to be discarded.
func Copy(ctx context.Context, from store.Archive, to store.Target, p Progress) (copied store.Totals, err error) {
	if copied, err = inspect(ctx, from); err != nil {
		return copied, err
	}
	p.Begin("copying", copied.Items())
	if err := to.Fill(ctx, reporting(whole(from.Items(ctx)), p)); err != nil {
		return copied, fmt.Errorf("copying: %w", err)
	}
	p.Begin("comparing", copied.Items())
	if err := compare(from.Items(ctx), reporting(to.Items(ctx), p)); err != nil {
		return copied, fmt.Errorf("comparing the copy with the source: %w", err)
	}
	return copied, nil
}

// inspect reads the totals of a source that has something to copy.
func inspect(ctx context.Context, from store.Archive) (totals store.Totals, err error) {
	var set keys.Stored
	for item, err := range from.Items(ctx) {
		switch {
		case err != nil:
			return totals, fmt.Errorf("reading the source: %w", err)
		case item.Totals != nil:
			totals = *item.Totals
			continue
		case item.Keys != nil:
			set = *item.Keys
		}
		break
	}
	if totals.IsEmpty(set) {
		return totals, ErrEmpty
	}
	return totals, nil
}

// reporting passes items on and reports how many there were.
func reporting(items iter.Seq2[store.Item, error], p Progress) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		var n int64
		for item, err := range items {
			if !yield(item, err) {
				return
			}
			if item.Totals != nil {
				continue
			}
			if n++; n == progressEvery {
				p.Done(n)
				n = 0
			}
		}
		p.Done(n)
	}
}
