package postgres

import (
	"context"
	"slices"
	"time"

	"issuer.example/sid"
)

// swap replaces a session that has a version, and no mark over it, by what was decided for it.
type swap struct {
	version int64 // that the session must have
	next    *stored
	facts   []pendingFact
	won     bool
	alone   bool    // it was not made, because of a session in its batch that somebody has locked
	sent    []int64 // the versions of attempts whose connection was lost
}

// swapBatch makes swaps in one transaction. Rows are locked in the order of their identifiers, so that batches of two
// issuers do not lock each other out.
func (db *DB) swapBatch(batch []*call[swap], try trySwaps) {
	slices.SortFunc(batch, func(a, b *call[swap]) int {
		return a.request.next.Session.ID.Compare(b.request.next.Session.ID)
	})
	began := time.Now()
	err := db.swapAll(batch, try)
	if err != nil {
		batch = finishWon(batch)
	}
	if len(batch) > 1 && isLocked(err) {
		for _, c := range batch {
			c.request.alone = true
			c.finish(nil)
		}
		return
	}
	if err != nil && len(batch) > 1 && !isUnavailable(err) {
		// One of them cannot be written. The others can.
		half := len(batch) / 2
		db.swapBatch(batch[:half], try)
		db.swapBatch(batch[half:], try)
		return
	}
	if err == nil {
		db.observe(len(batch), began)
	}
	err = db.failed(context.Background(), err)
	for _, c := range batch {
		c.finish(err)
	}
}

// finishWon answers the calls whose swaps were made before their batch failed, and returns the others.
func finishWon(batch []*call[swap]) (others []*call[swap]) {
	for _, c := range batch {
		if c.request.won {
			c.finish(nil)
		} else {
			others = append(others, c)
		}
	}
	return others
}

// trySwaps makes swaps once, and says which of them were made, unless there is an error.
type trySwaps func(ctx context.Context, batch []*call[swap]) error

// swapAll makes swaps until it is known which of them have been made.
func (db *DB) swapAll(batch []*call[swap], try trySwaps) error {
	ctx, cancel := db.bounded(context.Background())
	defer cancel()
	open, lost := batch, false
	for attempt := 0; ; attempt++ {
		err := try(ctx, open)
		switch {
		case err == nil && !lost:
			return nil
		case err == nil:
			_, err = db.unresolved(ctx, open)
			return err
		case isConnectionLost(err):
			lost = true
			db.health.note(err)
			if open, err = db.unresolved(ctx, open); err != nil || len(open) == 0 {
				return err
			}
		case !isRetryable(err) && !isUnsent(err):
			return err
		}
		if attempt == maxRetries || pause(ctx, ctx, attempt) != nil {
			return err
		}
	}
}

// unresolved finds out what became of swaps whose connection was lost, and returns those that have to be made again:
// their sessions are as before. What was sent may still arrive, before what is sent again or after it. The version that
// a session must have lets only one of them change it, and each gives it another one, which tells them apart.
func (db *DB) unresolved(ctx context.Context, batch []*call[swap]) (again []*call[swap], err error) {
	var ids []sid.ID
	for _, c := range batch {
		if !c.request.won {
			ids = append(ids, c.request.next.Session.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	versions, err := db.confirm(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, c := range batch {
		w := &c.request
		w.sent = append(w.sent, w.next.version)
		switch version, ok := versions[w.next.Session.ID]; {
		case ok && slices.Contains(w.sent, version):
			w.won, w.next.version = true, version
		case ok && version == w.version:
			again = append(again, c)
			w.next.version = newVersion()
		}
	}
	return again, nil
}

// observe tells of a commit.
func (db *DB) observe(callers int, began time.Time) {
	db.health.wrote()
	if db.cfg.Observe != nil {
		db.cfg.Observe(callers, time.Since(began))
	}
}
