package bolt

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"issuer.example/session"
)

const (
	// maxQueue bounds the callers that wait for the committer; more wait to get in.
	maxQueue = 1024
	// maxBatch bounds the callers that share a commit, and so how long one waits.
	maxBatch = 256
)

// op is a caller's transaction on its way through the committer.
type op struct {
	fn    func(*tx) error
	done  chan error // has room for the answer, so that a caller who has left holds up nobody
	since time.Time
	// claimed is set by whoever decides about it: the committer, which then runs it, or
	// the caller, who then gives up.
	claimed atomic.Bool
}

// update runs fn on the committer and waits until what it wrote is durable. When it returns
// an error, fn may be running still: the caller must not touch what fn writes to.
func (db *DB) update(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.handle.Load() == nil {
		return db.unavailable()
	}
	o := &op{fn: fn, done: make(chan error, 1), since: time.Now()}
	select {
	case db.queue <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.closing:
		return errClosed
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return o.leave(ctx.Err(), db.notDurable(ctx.Err()))
	case <-db.stopped:
		return o.leave(errClosed, errClosed)
	case <-db.gaveUp:
		return o.leave(errClosed, errClosed)
	}
}

// leave gives up waiting: with one error if the transaction has not been run and never will
// be, with the other one if it has been and its outcome is not known.
func (o *op) leave(notRun, unknown error) error {
	if o.claimed.CompareAndSwap(false, true) {
		return notRun
	}
	select {
	case err := <-o.done:
		return err
	default:
		return unknown
	}
}

// commitLoop is the committer: the only goroutine that writes.
func (db *DB) commitLoop() {
	defer close(db.stopped)
	debug.SetPanicOnFault(true) // a page that cannot be read is an error, not the end
	group := make([]*op, 0, maxBatch)
	for {
		select {
		case o := <-db.queue:
			// Callers that were just answered often have another operation. If they run
			// first, it joins this commit and does not need the next one.
			runtime.Gosched()
			group = db.gather(append(group[:0], o))
			db.commitGroup(group)
		case <-db.closing:
			return
		}
	}
}

// gather adds what waits in the queue already.
func (db *DB) gather(group []*op) []*op {
	for len(group) < maxBatch {
		select {
		case o := <-db.queue:
			group = append(group, o)
		default:
			return group
		}
	}
	return group
}

// commitGroup runs the functions of a group in order and answers each once all that it
// has read and written is durable.
func (db *DB) commitGroup(group []*op) {
	start := time.Now()
	db.committing.Store(&group[0].since) // the queue is in order: nobody waits for longer
	defer db.committing.Store(nil)
	h := db.handle.Load()
	if h == nil {
		answer(group, make([]error, len(group)), db.unavailable())
		return
	}
	errs := make([]error, len(group))
	ran, wrote, err := db.runGroup(h, group, errs)
	if err != nil {
		db.fail(h, err)
		err = session.ErrUnavailable
	}
	if wrote && err == nil && db.cfg.Observe != nil {
		db.cfg.Observe(Commit{Callers: ran, Took: time.Since(start)})
	}
	answer(group, errs, err)
}

// runGroup puts the error of each caller into errs. The error that it returns concerns all
// callers.
func (db *DB) runGroup(h *handle, group []*op, errs []error) (ran int, wrote bool, err error) {
	b, err := h.begin()
	if err != nil {
		return 0, false, err
	}
	for i, o := range group {
		if !o.claimed.CompareAndSwap(false, true) {
			group[i] = nil // its caller has gone
			continue
		}
		ran++
		if errs[i], err = b.run(o.fn); err != nil {
			_ = b.rollback()
			return ran, false, err
		}
	}
	if !b.dirty {
		return ran, false, b.rollback()
	}
	if err := b.commit(); err != nil {
		_ = b.rollback()
		return ran, true, err
	}
	if db.cfg.committed != nil {
		db.cfg.committed()
	}
	grown := len(b.facts) > 0
	h.counters = b.counters
	db.published.Store(&b.counters)
	h.durable.raise(b.at)
	if grown {
		db.watchers.wake()
	}
	return ran, true, nil
}

func answer(group []*op, errs []error, all error) {
	for i, o := range group {
		switch {
		case o == nil:
		case all != nil:
			o.claimed.Store(true)
			o.done <- all
		default:
			o.done <- errs[i]
		}
	}
}

// fail takes the store out of service and wakes the goroutine that brings it back.
func (db *DB) fail(h *handle, cause error) {
	h.failed.Store(true)
	db.mu.Lock()
	first := db.handle.CompareAndSwap(h, nil)
	if first {
		db.failure = cause
		h.durable.abandon()
		db.broken <- h // it has room: this was the only handle
	}
	db.mu.Unlock()
	if first {
		db.cfg.Logger.Error("store failed: nothing is answered until it has been read again",
			slog.String("path", db.cfg.Path), slog.Any("error", cause))
	}
}

// maxAge is how old an operation may become before the store counts as unhealthy.
const maxAge = 5 * time.Second

// Healthy implements [store.Status].
func (db *DB) Healthy() error {
	h := db.handle.Load()
	if h == nil {
		return db.unavailable()
	}
	oldest := h.journal.OldestReader()
	if commit := db.committing.Load(); commit != nil && (oldest.IsZero() || commit.Before(oldest)) {
		oldest = *commit
	}
	if age := time.Since(oldest); !oldest.IsZero() && age > maxAge {
		return fmt.Errorf("%w: an operation has been under way for %v", session.ErrUnavailable, age.Truncate(time.Millisecond))
	}
	return nil
}
