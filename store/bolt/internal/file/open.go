package file

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
)

const (
	// buildWait is how long to wait for another process that makes the same file.
	buildWait = time.Second
	lockRetry = 20 * time.Millisecond
)

// Options say how to open a data file.
type Options struct {
	// LockWait is how long to wait for another process to let go of the file. 0: not at all.
	LockWait time.Duration
	// Logger gets what was changed, and that another process has the file. Required.
	Logger *slog.Logger
}

// OpenLocked opens an existing data file for this process alone. If the file or its folder is
// this user's and is open to others, it is closed to them.
func OpenLocked(ctx context.Context, path string, opts Options) (*os.File, error) {
	for {
		f, err := openPrivate(path, opts.Logger)
		if err != nil {
			return nil, err
		}
		if err := opts.lock(ctx, f); err != nil {
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
func openPrivate(path string, log *slog.Logger) (*os.File, error) {
	needed, err := inspectFile(path)
	if err != nil {
		return nil, err
	}
	if err := repairFolder(path, log); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names it
	if err != nil || needed == nil {
		return f, err
	}
	if err := repairFile(f, needed, log); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
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
func (o Options) lock(ctx context.Context, f *os.File) error {
	err := flock(f)
	if !errors.Is(err, ErrLocked) || o.LockWait == 0 {
		return err
	}
	o.Logger.Info("another process holds the data file: waiting for it to let go",
		slog.String("path", f.Name()), slog.String("within", o.LockWait.String()))
	giveUp := time.NewTimer(o.LockWait)
	defer giveUp.Stop()
	for {
		retry := time.NewTimer(lockRetry)
		select {
		case <-retry.C:
		case <-giveUp.C:
			return ErrLocked
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := flock(f); !errors.Is(err, ErrLocked) {
			return err
		}
	}
}

// Close closes a file that bbolt cannot close. The lock on it would live on in bbolt's
// mapping, so it is given up first.
func Close(f *os.File) error {
	return errors.Join(unlock(f), f.Close())
}
