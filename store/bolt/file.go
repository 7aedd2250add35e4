package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const (
	// lockWait is how long to wait for another process to let go of the file.
	lockWait  = time.Second
	lockRetry = 20 * time.Millisecond
)

// openLocked opens an existing data file for this process alone.
func openLocked(ctx context.Context, path string) (*os.File, error) {
	for {
		f, err := openOwn(path)
		if err != nil {
			return nil, err
		}
		if err := lock(ctx, f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if inPlace(f, path) {
			return f, nil
		}
		// Another process put a compacted file in its place meanwhile.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// openOwn opens a regular file that nobody but its owner has access to.
func openOwn(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 || mode&0o600 != 0o600 {
		return nil, fmt.Errorf("%w; it has mode %#o", ErrPermissions, mode)
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if mode := folder.Mode(); mode.Perm()&0o002 != 0 && mode&os.ModeSticky == 0 {
		return nil, fmt.Errorf("%w; anybody may replace it, for its folder has mode %#o", ErrPermissions, mode.Perm())
	}
	return os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names it
}

func inPlace(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(mine, now)
}

// lock waits for the lock that bbolt takes too. It belongs to the open file, so bbolt,
// which is given that, has it already.
func lock(ctx context.Context, f *os.File) error {
	giveUp := time.NewTimer(lockWait)
	defer giveUp.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		retry := time.NewTimer(lockRetry)
		select {
		case <-retry.C:
		case <-giveUp.C:
			return ErrLocked
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// create makes a new data file, and its folder. The file appears whole or not at all, so
// that what is found empty or half written was not left by a start that failed.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	folder, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // it is not written to
	// One process at a time: the other one's file must not be replaced.
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = writeNew(path+".new", path, func(file *bbolt.DB) error { return file.Update(createBuckets) })
	if err != nil {
		return err
	}
	return folder.Sync()
}

// writeNew makes a bbolt file under a temporary name and moves it into place.
func writeNew(temporary, path string, content func(*bbolt.DB) error) (err error) {
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	file, err := bbolt.Open(temporary, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := errors.Join(content(file), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
