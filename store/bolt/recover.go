package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"
)

// How long to wait between attempts to bring the store back.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// room is how much must fit the disk before a store that has failed answers again. It is
// written in full, so that a store on a full disk does not come back only to fail at once.
const room = 1 << 20

// recoverLoop brings the store back after each failure, until ctx ends.
func (db *DB) recoverLoop(ctx context.Context) {
	debug.SetPanicOnFault(true)
	for {
		select {
		case h := <-db.broken:
			db.replace(ctx, h)
		case <-ctx.Done():
			return
		}
	}
}

// replace puts a handle in the place of a broken one, and tries until it can.
func (db *DB) replace(ctx context.Context, broken *handle) {
	log := db.cfg.Logger.With(slog.String("path", db.cfg.Path))
	if err := broken.abandon(); err != nil {
		log.Warn("closing the failed store", slog.Any("error", err))
	}
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		h, err := db.reopen(ctx, broken.durable.reached())
		if err == nil {
			db.install(h)
			log.Info("store is back")
			return
		}
		if ctx.Err() != nil {
			return
		}
		db.setFailure(err)
		log.Error("store is still failing", slog.Any("error", err), slog.Duration("retry_in", wait))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// reopen opens the file after a failure. After an fsync that failed, the system's cache
// can hold what the disk never got, and says nothing the second time. So what is judged
// is read from the disk, all of it, and a commit must succeed before the store answers.
// acknowledged is the newest transaction that anyone has been told of.
func (db *DB) reopen(ctx context.Context, acknowledged uint64) (*handle, error) {
	f, err := openLocked(ctx, db.cfg.Path)
	if err != nil {
		return nil, err
	}
	if err := dropCache(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h, err := db.take(ctx, f, true, false)
	if err != nil {
		return nil, err
	}
	if found := h.durable.reached(); found < acknowledged {
		return nil, errors.Join(fmt.Errorf("%w: it ends with %d, and %d was acknowledged",
			ErrForgotten, found, acknowledged), h.abandon())
	}
	if err := errors.Join(h.makeRoom(), h.probe()); err != nil {
		return nil, errors.Join(err, h.abandon())
	}
	return h, nil
}

// makeRoom writes behind the last page, where the next ones will be.
func (h *handle) makeRoom() error {
	now, ok := readHeader(h.file)
	if !ok {
		return ErrNotStore
	}
	if _, err := h.file.WriteAt(make([]byte, room), now.size()); err != nil {
		return err
	}
	return h.file.Sync()
}

// dropCache makes the next reads of a file come from the disk, as far as the system knows
// how to.
func dropCache(f *os.File) error {
	// What is not written back yet stays in the cache, so that comes first.
	if err := f.Sync(); err != nil {
		return err
	}
	return forgetPages(f)
}
