package bolt

import (
	"context"
	"fmt"
	"io"

	"issuer.example/session"
)

// Backup writes a copy of the store as it is at one moment, while the store goes on. The
// copy is a data file that [Open] opens. It is a snapshot: what was committed after it
// began is not in it.
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	h := db.handle.Load()
	if h == nil {
		return db.unavailable()
	}
	// It reads pages alone, so it is not counted among the readers that the overlay keeps
	// old states for: it can take long.
	t, err := h.transaction(false)
	if err != nil {
		db.fail(h, err)
		return session.ErrUnavailable
	}
	defer t.Rollback()                                          //nolint:errcheck // of a read-only transaction
	if err := h.durable.wait(ctx, uint64(t.ID())); err != nil { //nolint:gosec // never negative
		return db.notDurable(err)
	}
	if _, err := t.WriteTo(&untilDone{ctx: ctx, w: w, failed: func() bool { return db.handle.Load() != h }}); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // bbolt does not wrap
		}
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// untilDone is a writer that ends with its context.
type untilDone struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	w   io.Writer
	// failed says that the store is to be reopened, which a backup must not hold up.
	failed func() bool
}

func (u *untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	if u.failed() {
		return 0, session.ErrUnavailable
	}
	return u.w.Write(p)
}
