package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/rounds"
	"issuer.example/session"
	"issuer.example/store/bolt"
)

// A page that cannot be used takes the store out of service, and not the process; it comes
// back by itself when the file is whole again.
func TestFileDamagedWhileOpen(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string, whole []byte) error{
		"overwritten": func(path string, whole []byte) error { return overwrite(path, 8192, make([]byte, len(whole)-8192)) },
		"shuffled": func(path string, whole []byte) error {
			return overwrite(path, 8192, append(bytes.Clone(whole[12288:]), whole[8192:12288]...))
		},
		"cut": func(path string, _ []byte) error { return os.Truncate(path, 8192) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			db := start(t, bolt.Config{Path: path})
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(path, whole); err != nil {
				t.Fatal(err)
			}
			_, err = generation(t.Context(), db, 7)
			refused(t, err)
			refused(t, db.Healthy())
			refused(t, advance(t.Context(), db, 7))
			_, _, err = db.Facts(t.Context(), 0, 1)
			refused(t, err)
			refused(t, db.Backup(t.Context(), &bytes.Buffer{}))
			becomes(t, "it says why", func() bool {
				return errors.Is(db.Healthy(), bolt.ErrDamaged) || errors.Is(db.Healthy(), bolt.ErrTruncated)
			})
			if err := overwrite(path, 0, whole); err != nil {
				t.Fatal(err)
			}
			becomes(t, "the store is back", func() bool { return db.Healthy() == nil })
			if err := advance(t.Context(), db, 7); err != nil {
				t.Fatal(err)
			}
			if g, err := generation(t.Context(), db, 7); g != 1 || err != nil {
				t.Errorf("session 7 is at %d (%v), want 1", g, err)
			}
		})
	}
}

// The same, found by the committer rather than by a reader.
func TestFileDamagedUnderTheCommitter(t *testing.T) {
	path := filled(t)
	db := start(t, bolt.Config{Path: path})
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	refused(t, advance(t.Context(), db, 7))
	refused(t, db.Healthy())
	if err := db.Close(); err != nil {
		t.Errorf("closing a store that has failed: %v", err)
	}
}

func overwrite(path string, at int64, b []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	return errors.Join(err, f.Close())
}

// helperEnv makes the test binary do the work of a helper process.
const helperEnv = "ISSUER_TEST_FULL_DISK"

func TestMain(m *testing.M) {
	for env, work := range map[string]func(path string) error{
		helperEnv: fullDisk, failingDiskEnv: failingDisk, slowDiskEnv: slowDisk,
		newFileEnv: newFile,
	} {
		if path := os.Getenv(env); path != "" {
			if err := work(path); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println("held")
			return
		}
	}
	rounds.TempInMemory()
	rounds.Parallel(8)
	os.Exit(m.Run())
}

// What was acknowledged before the disk was full is there while it is full or after, and
// nothing is acknowledged that is not. The limit is one on the size of files, which holds
// for a whole process: hence the helper.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), helperEnv+"="+newPath(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "held") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fullDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	db, err := bolt.Open(ctx, bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for n := 1; n <= 100; n++ {
		if err := create(ctx, db, n, "u"); err != nil {
			return err
		}
	}
	held := 100
	if err := limitFileSize(1 << 16); err != nil {
		return err
	}
	// bbolt makes files larger at once: here every write behind the limit fails.
	for n := 101; ; n++ {
		if err := create(ctx, db, n, "u"); err != nil {
			if !errors.Is(err, session.ErrUnavailable) {
				return fmt.Errorf("a full disk is answered with %w", err)
			}
			break
		}
		if held = n; n > 1e5 {
			return errors.New("the disk is never full")
		}
	}
	if err := limitFileSize(1 << 40); err != nil {
		return err
	}
	for tick := time.NewTicker(time.Millisecond); db.Healthy() != nil; {
		<-tick.C
	}
	live := int(db.Live())
	if live != held && live != held+1 { // the last one may have happened
		return fmt.Errorf("%d sessions, %d acknowledged", live, held)
	}
	for n := 1; n <= live; n++ {
		if _, err := generation(ctx, db, n); err != nil {
			return fmt.Errorf("session %d: %w", n, err)
		}
	}
	if err := create(ctx, db, live+1, "u"); err != nil {
		return fmt.Errorf("after the disk had room again: %w", err)
	}
	return db.Close()
}

// limitFileSize sets how large a file this process may make.
func limitFileSize(size uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = min(size, limit.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}
