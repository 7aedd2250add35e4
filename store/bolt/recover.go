package bolt

import (
	"context"
	"log/slog"
	"time"
)

// How long to wait between attempts to bring the store back.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// recoverLoop brings the store back after each failure, until ctx ends.
func (db *DB) recoverLoop(ctx context.Context) {
	for {
		select {
		case h := <-db.broken:
			db.replace(ctx, h)
		case <-ctx.Done():
			<-db.stopped // from here on the committer breaks nothing
			select {
			case h := <-db.broken:
				_ = h.abandon()
			default:
			}
			return
		}
	}
}

// replace puts a handle in the place of a broken one, and tries until it can.
func (db *DB) replace(ctx context.Context, broken *handle) {
	if err := broken.abandon(); err != nil {
		db.cfg.Logger.Warn("closing the failed store", slog.Any("error", err))
	}
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		h, err := db.reopen(ctx)
		if err == nil {
			db.install(h)
			db.cfg.Logger.Info("store is back", slog.String("path", db.cfg.Path))
			return
		}
		if ctx.Err() != nil {
			return
		}
		db.setFailure(err)
		db.cfg.Logger.Error("store is still failing", slog.String("path", db.cfg.Path),
			slog.Any("error", err), slog.Duration("retry_in", wait))
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
func (db *DB) reopen(ctx context.Context) (*handle, error) {
	if err := dropCache(db.cfg.Path); err != nil {
		return nil, err
	}
	h, err := db.open(ctx, true)
	if err != nil {
		return nil, err
	}
	if err := h.probe(); err != nil {
		_ = h.abandon()
		return nil, err
	}
	return h, nil
}

// probe commits what is there already, and counts it as durable.
func (h *handle) probe() (err error) {
	defer recovered("committing", &err)
	t, err := h.bolt.Begin(true)
	if err != nil {
		return err
	}
	if err := t.Bucket(meta.name()).Put([]byte(keyCounters), h.counters.encode()); err != nil {
		_ = t.Rollback()
		return err
	}
	id := uint64(t.ID()) //nolint:gosec // never negative
	if err := t.Commit(); err != nil {
		return err
	}
	h.durable.raise(id)
	return nil
}
