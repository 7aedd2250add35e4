package bolt

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
)

// newHandle takes over an open file, and closes it if it is not ours.
func (db *DB) newHandle(file *bbolt.DB, f *os.File) (_ *handle, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
		if err != nil {
			err = errors.Join(err, file.Close()) // with it goes the lock
		}
	}()
	n := &handle{
		bolt: file, file: f, journal: newJournal(db.cfg.journal), factsKeep: db.cfg.FactsKeep,
		log: db.cfg.Logger, sweep: sweepMemory{retry: make(map[string]time.Time)},
	}
	if n.codec, err = newCodec(); err != nil {
		return nil, err
	}
	err = file.View(func(tx *bbolt.Tx) (err error) {
		n.durable = newWatermark(uint64(tx.ID())) //nolint:gosec // never negative
		if n.schema, err = checkSchema(tx); err != nil {
			return err
		}
		if n.schema == schema {
			if n.counters, err = decodeCounters(tx.Bucket(meta.name()).Get([]byte(keyCounters))); err != nil {
				return err
			}
		}
		return n.journal.load(tx)
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// view runs fn on the file as it is. Nobody else uses the handle yet.
func (h *handle) view(fn func(*view) error) error {
	return h.bolt.View(func(tx *bbolt.Tx) error {
		return fn(&view{h: h, tx: tx, at: uint64(tx.ID())}) //nolint:gosec // never negative
	})
}

// readCounters reads the counters again, after the file has been upgraded.
func (h *handle) readCounters() error {
	return h.view(func(v *view) (err error) {
		h.durable.raise(v.at)
		h.counters, err = v.counters()
		return err
	})
}

// transaction begins a transaction of bbolt. The caller has [debug.SetPanicOnFault] on.
func (h *handle) transaction(writable bool) (t *bbolt.Tx, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.release(writable)
			err = fmt.Errorf("%w: beginning a transaction: %v", ErrDamaged, p)
		}
	}()
	return h.bolt.Begin(writable)
}

// probe commits what is there already, and counts it as durable.
func (h *handle) probe() (err error) {
	defer recovered("committing", &err)
	t, err := h.transaction(true)
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

// close closes the file after a last commit that puts the list of its free pages on disk,
// so that the next open need not search for them. Commits go without, because the list of
// a large store is long.
func (h *handle) close() error {
	return errors.Join(h.commitFreelist(), h.abandon())
}

func (h *handle) commitFreelist() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recovered("committing", &err)
	h.bolt.NoFreelistSync = false
	t, err := h.transaction(true)
	if err != nil {
		return err
	}
	return t.Commit()
}

// abandon closes the file as it is. It waits for the readers.
func (h *handle) abandon() (err error) {
	defer recovered("closing", &err)
	if h.stuck.Load() {
		return letGo(h.file)
	}
	return h.bolt.Close()
}
