package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
)

// mapAhead is how much of the address space is set aside for the file to grow into: 16 GB,
// or 1 GB where addresses have 32 bits. A file that outgrows it is mapped anew, for which
// all readers must finish first.
const mapAhead = 1 << (30 + 4*(^uint(0)>>63))

// open opens the file, or makes one where there is none.
func (db *DB) open(ctx context.Context) (*handle, error) {
	if _, err := os.Stat(db.cfg.Path); errors.Is(err, fs.ErrNotExist) {
		if err := create(db.cfg.Path); err != nil {
			return nil, err
		}
	}
	f, err := openLocked(ctx, db.cfg.Path)
	if err != nil {
		return nil, err
	}
	return db.take(ctx, f, db.cfg.Check, db.cfg.Check)
}

// take checks all that bbolt takes for granted of an open and locked file, and maps it.
// through has every page read even if the last process has closed the file cleanly; audit
// has every record read. It closes the file if it fails, and has not changed it then.
func (db *DB) take(ctx context.Context, f *os.File, through, audit bool) (_ *handle, err error) {
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
	h, err := inspect(f)
	if err != nil {
		return nil, err
	}
	if err := db.readFirst(ctx, f, h, through); err != nil {
		return nil, err
	}
	file, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	n, err := db.newHandle(file, f)
	if err != nil {
		return nil, err
	}
	if err := n.prepare(ctx, h, audit); err != nil {
		return nil, errors.Join(err, n.abandon())
	}
	return n, nil
}

// prepare makes a mapped file ready for use.
func (h *handle) prepare(ctx context.Context, now header, audit bool) error {
	if audit && h.schema == schema {
		if err := h.audit(ctx); err != nil {
			return err
		}
	}
	if err := rewriteHeaders(h.file, now); err != nil || h.schema == schema {
		return err
	}
	if err := errors.Join(h.upgrade(), h.readCounters()); err != nil {
		return fmt.Errorf("upgrading from schema %d: %w", h.schema, err)
	}
	h.schema = schema
	if audit {
		return h.audit(ctx)
	}
	return nil
}

// inspect reads the header and refuses what bbolt must not map.
func inspect(f *os.File) (header, error) {
	info, err := f.Stat()
	if err != nil {
		return header{}, err
	}
	if info.Size() == 0 {
		return header{}, ErrEmpty
	}
	h, ok := readHeader(f)
	if !ok {
		return header{}, ErrNotStore
	}
	if h.pages > 1<<40 || info.Size() < h.size() {
		return header{}, fmt.Errorf("%w: it has %d bytes, and its header says %d pages of %d",
			ErrTruncated, info.Size(), h.pages, h.pageSize)
	}
	return h, nil
}

// readFirst reads the list of free pages and, where bbolt is about to search for them,
// the whole file.
func (db *DB) readFirst(ctx context.Context, f *os.File, h header, through bool) error {
	if h.freelist != noFreelist {
		if err := verifyFreelist(f, h); err != nil {
			return err
		}
	}
	log := db.cfg.Logger.With(slog.String("path", db.cfg.Path))
	switch {
	case h.freelist == noFreelist:
		log.Info("store was not closed cleanly: reading it through", slog.Uint64("pages", h.pages))
	case !through:
		return nil
	}
	start := time.Now()
	if err := verify(ctx, f, h); err != nil {
		return err
	}
	log.Info("store read through", slog.Int64("took_ms", time.Since(start).Milliseconds()))
	return nil
}

// mapFile hands an open and locked file to bbolt.
func mapFile(f *os.File) (_ *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(fmt.Errorf("%w: %v", ErrDamaged, p), letGo(f))
		}
	}()
	return bbolt.Open(f.Name(), 0o600, &bbolt.Options{
		Timeout:         lockWait,
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true, // see handle.close
		InitialMmapSize: mapAhead,
		NoStatistics:    true,
	})
}
