package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/store/bolt/internal/file"
)

// mapAhead is how much of the address space is set aside for the file to grow into: 16 GB,
// or 1 GB where addresses have 32 bits. A file that outgrows it is mapped anew, for which
// all readers must finish first.
const mapAhead = 1 << (30 + 4*(^uint(0)>>63))

// open opens the file, or makes one where there is none.
func (db *DB) open(ctx context.Context) (*handle, error) {
	if _, err := os.Stat(db.cfg.Path); errors.Is(err, fs.ErrNotExist) {
		if err := file.Create(db.cfg.Path, db.cfg.Logger, createBuckets); err != nil {
			return nil, err
		}
	}
	f, err := file.OpenLocked(ctx, db.cfg.Path, file.Options{LockWait: db.cfg.LockWait, Logger: db.cfg.Logger})
	if err != nil {
		return nil, err
	}
	return db.adopt(ctx, f, db.cfg.Check, db.cfg.Check)
}

// adopt checks all that bbolt takes for granted of an open and locked file, and maps it.
// through has every page read even if the last process has closed the file cleanly; audit
// has every record read. It closes the file if it fails, and has not changed it then.
func (db *DB) adopt(ctx context.Context, f *os.File, through, audit bool) (_ *handle, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err != nil {
			_ = f.Close() // bbolt may have done so
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	h, err := file.Inspect(f)
	if err != nil {
		return nil, err
	}
	if err := db.readFirst(ctx, f, h, through); err != nil {
		return nil, err
	}
	mapped, err := mapFile(f, db.mappingSize(h))
	if err != nil {
		return nil, err
	}
	n, err := db.newHandle(mapped, f)
	if err != nil {
		return nil, err
	}
	if err := n.prepare(ctx, h, audit); err != nil {
		return nil, errors.Join(err, n.abandon())
	}
	return n, nil
}

// prepare makes a mapped file ready for use. An audit comes before an upgrade, so that a file
// that it refuses stays one that the version before can open.
func (h *handle) prepare(ctx context.Context, now file.Header, audit bool) error {
	if audit {
		if err := h.audit(ctx); err != nil {
			return err
		}
	}
	if err := file.RewriteHeaders(h.file, now); err != nil || h.schema == schema {
		return err
	}
	if err := h.upgrade(); err != nil {
		return fmt.Errorf("upgrading from schema %d: %w", h.schema, err)
	}
	if err := h.readCounters(); err != nil {
		return fmt.Errorf("reading what was upgraded from schema %d: %w", h.schema, err)
	}
	h.schema = schema
	if audit {
		return h.audit(ctx)
	}
	return nil
}

// readFirst reads the list of free pages and, where bbolt is about to search for them,
// the whole file.
func (db *DB) readFirst(ctx context.Context, f *os.File, h file.Header, through bool) error {
	if h.HasFreelist() {
		if err := file.VerifyFreelist(f, h); err != nil {
			return err
		}
	}
	log := db.cfg.Logger.With(slog.String("path", db.cfg.Path))
	switch {
	case !h.HasFreelist():
		log.Info("store was not closed cleanly: reading it through", slog.Uint64("pages", h.Pages))
	case !through:
		return nil
	}
	start := time.Now()
	if err := file.Verify(ctx, f, h); err != nil {
		return err
	}
	log.Info("store read through", slog.Int64("took_ms", time.Since(start).Milliseconds()))
	return nil
}

// mappingSize returns how much address space to set aside for a file, and logs it if that is
// less than mapAhead.
func (db *DB) mappingSize(h file.Header) int {
	size := file.MappingSize(mapAhead, h.Size())
	if size < mapAhead {
		db.cfg.Logger.Warn("the limit of address space (ulimit -v) leaves little to map the data file into: readers wait for each other whenever the file outgrows that",
			slog.String("path", db.cfg.Path), slog.Int("bytes", size), slog.Int("wanted_bytes", mapAhead))
	}
	return size
}

// mapFile hands an open and locked file to bbolt, which maps at least that many bytes.
func mapFile(f *os.File, size int) (_ *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(fmt.Errorf("%w: %v", ErrDamaged, p), file.Close(f))
		}
	}()
	mapped, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true, // see handle.close
		InitialMmapSize: size,
		NoStatistics:    true,
	})
	if errors.Is(err, syscall.ENOMEM) {
		return nil, fmt.Errorf("mapping the data file: %w; allow the process more address space (ulimit -v)", err)
	}
	return mapped, err
}
