package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// LockWait is how long to wait for another process to let go of a file.
	LockWait  = time.Second
	lockRetry = 20 * time.Millisecond
)

// OpenLocked opens an existing data file for this process alone.
func OpenLocked(ctx context.Context, path string) (*os.File, error) {
	for {
		f, err := openPrivate(path)
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

// openPrivate opens a regular file to which nobody but its owner has access.
func openPrivate(path string) (*os.File, error) {
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
	giveUp := time.NewTimer(LockWait)
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

// Close closes a file that bbolt cannot close. The lock on it would live on in bbolt's
// mapping, so it is given up first.
func Close(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}
