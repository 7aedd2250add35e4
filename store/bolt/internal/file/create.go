package file

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Create makes a data file, and its folder, unless there is one. The file appears whole or
// not at all, so that one that is empty or half written was not left by a start that failed.
func Create(path string, log *slog.Logger, content func(*bbolt.Tx) error) error {
	err := Fill(path, path+".new", log, func(db *bbolt.DB) error { return db.Update(content) })
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// Fill makes a data file, and its folder, under a temporary name, and gives it its own once it
// is complete. It is [ErrExists] if there is one.
func Fill(path, temporary string, log *slog.Logger, content func(*bbolt.DB) error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := repairFolder(path, log); err != nil {
		return err
	}
	folder, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // it is not written to
	// One process at a time: the other one's file must not be replaced.
	if err := waitForLock(folder); err != nil {
		return err
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return Replace(temporary, path, content)
}

// Replace makes a bbolt file under a temporary name, and moves it to its path once it is
// durable. When Replace returns nil, so is the move.
func Replace(temporary, path string, content func(*bbolt.DB) error) (err error) {
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	// One sync at the end does for all transactions: nobody reads the file before.
	db, err := bbolt.Open(temporary, 0o600, &bbolt.Options{
		Timeout: buildWait, FreelistType: bbolt.FreelistMapType, NoSync: true,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(content(db), db.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
