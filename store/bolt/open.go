package bolt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long to wait for another process to let go of the file.
const lockWait = time.Second

// open opens the file and makes sure that it is ours.
func (db *DB) open(_ context.Context, _ bool) (_ *handle, err error) {
	defer recovered("opening", &err)
	if err := os.MkdirAll(filepath.Dir(db.cfg.Path), 0o700); err != nil {
		return nil, err
	}
	file, err := bbolt.Open(db.cfg.Path, 0o600, &bbolt.Options{
		Timeout: lockWait, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	err = file.Update(func(tx *bbolt.Tx) error {
		if name, _ := tx.Cursor().First(); name != nil {
			return nil
		}
		return layOut(tx)
	})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return newHandle(file)
}

func newHandle(file *bbolt.DB) (h *handle, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	h = &handle{bolt: file}
	if h.codec, err = newCodec(); err != nil {
		return nil, err
	}
	err = file.View(func(tx *bbolt.Tx) (err error) {
		h.durable = newWatermark(uint64(tx.ID())) //nolint:gosec // never negative
		h.counters, err = recognise(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// close closes the file after a last commit that puts the list of its free pages on disk,
// so that the next open need not search for them.
func (h *handle) close() error {
	h.bolt.NoFreelistSync = false
	err := h.bolt.Update(func(*bbolt.Tx) error { return nil })
	return errors.Join(err, h.bolt.Close())
}
