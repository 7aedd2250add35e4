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
	"golang.org/x/sys/unix"
)

// mapAhead is how much of the address space is set aside for the file to grow into. A
// file that outgrows it is mapped anew, for which all readers must finish first.
const mapAhead = 16 << 30

// open opens the file, or makes one, and checks all that bbolt takes for granted.
func (db *DB) open(ctx context.Context, check bool) (_ *handle, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recovered("opening", &err)
	path := db.cfg.Path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
	}
	f, err := openLocked(ctx, path)
	if err != nil {
		return nil, err
	}
	given := false
	defer func() {
		if !given {
			err = errors.Join(err, f.Close())
		}
	}()
	h, err := inspect(f)
	if err != nil {
		return nil, err
	}
	if err := db.readFirst(ctx, f, h, check); err != nil {
		return nil, err
	}
	given = true // bbolt closes it, whatever happens
	file, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	return db.newHandle(file, check)
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
	if need := int64(h.pages) * h.pageSize; h.pages > 1<<40 || info.Size() < need { //nolint:gosec // bounded
		return header{}, fmt.Errorf("%w: it has %d bytes of %d pages of %d", ErrTruncated, info.Size(), h.pages, h.pageSize)
	}
	return h, nil
}

// readFirst reads the whole file where bbolt is about to, and makes what this process
// sees of the file durable before anyone is told of it.
func (db *DB) readFirst(ctx context.Context, f *os.File, h header, check bool) error {
	if h.freelist != noFreelist {
		if err := verifyFreelist(f, h); err != nil {
			return err
		}
	}
	if h.freelist == noFreelist || check {
		start := time.Now()
		if h.freelist == noFreelist {
			db.cfg.Logger.Info("store was not closed cleanly: reading it through",
				slog.String("path", db.cfg.Path), slog.Uint64("pages", h.pages))
		}
		if err := verify(ctx, f, h); err != nil {
			return err
		}
		db.cfg.Logger.Info("store read through",
			slog.String("path", db.cfg.Path), slog.Duration("took", time.Since(start)))
	}
	return f.Sync()
}

// mapFile hands an open and locked file to bbolt, which closes it if it fails.
func mapFile(f *os.File) (_ *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The lock would live on in the mapping, which only bbolt could undo.
			err = errors.Join(fmt.Errorf("%w: %v", ErrDamaged, p), unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
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

func (db *DB) newHandle(file *bbolt.DB, check bool) (h *handle, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	defer damaged(&err)
	h = &handle{bolt: file, journal: newJournal(db.cfg.journal)}
	if h.codec, err = newCodec(); err != nil {
		return nil, err
	}
	err = file.View(func(tx *bbolt.Tx) (err error) {
		h.durable = newWatermark(uint64(tx.ID())) //nolint:gosec // never negative
		if h.counters, err = recognise(tx); err != nil {
			return err
		}
		if check {
			if err := checkPages(tx); err != nil {
				return err
			}
		}
		return h.journal.load(tx)
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// damaged makes a panic of bbolt, or a fault, over a page that it has read an error.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}
}

// checkPages is bbolt's own check: every page is either in use or free.
func checkPages(tx *bbolt.Tx) error {
	var first error
	for err := range tx.Check() { // to its end: it blocks otherwise
		if first == nil {
			first = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return first
}

// close closes the file after a last commit that puts the list of its free pages on disk,
// so that the next open need not search for them. Commits go without, because the list of
// a large store is long.
func (h *handle) close() (err error) {
	defer recovered("closing", &err)
	h.bolt.NoFreelistSync = false
	err = h.bolt.Update(func(*bbolt.Tx) error { return nil })
	return errors.Join(err, h.bolt.Close())
}

// abandon closes the file as it is.
func (h *handle) abandon() (err error) {
	defer recovered("closing", &err)
	return h.bolt.Close()
}
