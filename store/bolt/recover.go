package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"issuer.example/store/bolt/internal/file"
)

// How long to wait between attempts to bring the store back.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

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
		log.Error("store is still failing", slog.Any("error", err), slog.String("retry_in", wait.String()))
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
// acknowledged is the newest transaction that a caller got an answer from.
func (db *DB) reopen(ctx context.Context, acknowledged uint64) (*handle, error) {
	f, err := file.OpenLocked(ctx, db.cfg.Path, file.Options{LockWait: time.Second, Logger: db.cfg.Logger})
	if err != nil {
		return nil, err
	}
	if err := file.DropCache(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h, err := db.adopt(ctx, f, true, false)
	if err != nil {
		return nil, err
	}
	if found := h.durable.reached(); found < acknowledged {
		return nil, errors.Join(fmt.Errorf("%w: it ends with %d, and %d was acknowledged",
			ErrForgotten, found, acknowledged), h.abandon())
	}
	if err := errors.Join(file.WriteSpare(h.file), h.probe()); err != nil {
		return nil, errors.Join(err, h.abandon())
	}
	return h, nil
}
