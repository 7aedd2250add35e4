package bolt

import (
	"context"
	"fmt"
	"io"
)

// Backup writes a copy of the store as it is at one moment, while the store goes on. The
// copy is a data file that [Open] opens. It is a snapshot: what was committed after it
// began is not in it.
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	err := db.view(ctx, func(v *view) error {
		_, err := v.tx.WriteTo(&untilDone{ctx: ctx, w: w})
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// untilDone is a writer that ends with its context.
type untilDone struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	w   io.Writer
}

func (u *untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}
