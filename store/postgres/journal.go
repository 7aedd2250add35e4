package postgres

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// backstop is how often the journal is looked at while notifications come.
	backstop = time.Second
	// gather is how long after one transaction that gives numbers the next one begins in the
	// background, so that it has facts of many writers.
	gather = 5 * time.Millisecond
	// gatherQuiet is how long facts that no verifier waits for may go without numbers, unless somebody reads them.
	gatherQuiet = 100 * time.Millisecond
)

// journal is what an open store does for the readers of its journal.
type journal struct {
	numbering numbering
	watchers  watchers
	written   chan struct{} // has a value when this issuer has written facts
	quiet     chan struct{} // the same for facts that no verifier waits for
	head      atomic.Uint64 // the number of the newest fact that the watchers were told of
	listening atomic.Bool   // notifications come
}

// startJournal begins to follow the journal, until the store is closed.
func (db *DB) startJournal() {
	db.journal.written, db.journal.quiet = make(chan struct{}, 1), make(chan struct{}, 1)
	db.background.Go(func() { db.followJournal(db.life) })
	if db.cfg.Notify == NotifyListen {
		db.background.Go(func() { db.keepListening(db.life) })
	}
}

// wrote wakes the readers of the journal of this issuer and has the new facts numbered soon. It does not block.
func (db *DB) wrote() {
	select {
	case db.journal.written <- struct{}{}:
	default:
	}
}

// wroteQuietly is wrote for facts that no verifier waits for.
func (db *DB) wroteQuietly() {
	select {
	case db.journal.quiet <- struct{}{}:
	default:
	}
}

// saw tells the watchers of the newest fact, unless they know it.
func (j *journal) saw(head uint64) {
	if j.head.Swap(head) != head {
		j.watchers.wake()
	}
}

// followJournal numbers what this issuer has written, soon, and what others have written and
// not numbered, from time to time. So it also finds what no notification told of.
func (db *DB) followJournal(ctx context.Context) {
	failing := false
	for {
		db.awaitWrites(ctx, failing)
		if ctx.Err() != nil {
			return
		}
		head, err := db.Head(ctx)
		switch {
		case err == nil:
			db.journal.saw(head)
			failing = false
		case !failing && ctx.Err() == nil:
			failing = true
			db.cfg.Logger.WarnContext(ctx, "the journal cannot be read; it is tried again", slog.Any("error", err))
		}
		sleep(ctx, gather)
	}
}

// awaitWrites waits until the journal is to be looked at, or until the context ends.
func (db *DB) awaitWrites(ctx context.Context, failing bool) {
	timer := time.NewTimer(db.lookInterval(failing))
	defer timer.Stop()
	select {
	case <-db.journal.quiet:
	case <-db.journal.written:
		return
	case <-timer.C:
		return
	case <-ctx.Done():
		return
	}
	timer.Reset(min(gatherQuiet, db.lookInterval(failing)))
	select {
	case <-db.journal.written:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lookInterval is how long the journal is not looked at while nothing is written here.
func (db *DB) lookInterval(failing bool) time.Duration {
	if db.journal.listening.Load() && !failing {
		return max(backstop, db.cfg.PollInterval)
	}
	return db.cfg.PollInterval
}

// sleep waits, or until the context ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
