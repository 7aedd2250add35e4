package bolt_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store/bolt"
)

// What Open refuses it names, and leaves as it was.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string) error
		want  error
	}{
		"empty":              {rewrite(func([]byte) []byte { return nil }), bolt.ErrEmpty},
		"of one byte":        {rewrite(func([]byte) []byte { return []byte{0} }), bolt.ErrNotStore},
		"of text":            {rewrite(func([]byte) []byte { return bytes.Repeat([]byte("text\n"), 9000) }), bolt.ErrNotStore},
		"cut by one page":    {rewrite(func(b []byte) []byte { return b[:lastPage(b)] }), bolt.ErrTruncated},
		"cut by one byte":    {rewrite(func(b []byte) []byte { return b[:lastPage(b)+4095] }), bolt.ErrTruncated},
		"cut to its headers": {rewrite(func(b []byte) []byte { return b[:8192] }), bolt.ErrTruncated},
		"without headers":    {rewrite(func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) }), bolt.ErrNotStore},
		"of another program": {edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("program"), []byte("brewer")) }), bolt.ErrForeign},
		"of no program":      {edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) }), bolt.ErrForeign},
		"newer": {edit(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 4})
		}), bolt.ErrNewer},
		"of no version":    {edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("schema")) }), bolt.ErrDamaged},
		"of no counters":   {edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("counters")) }), bolt.ErrDamaged},
		"without a bucket": {edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("state")) }), bolt.ErrDamaged},
		"without facts":    {edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("facts")) }), bolt.ErrDamaged},
		"with a bad journal": {edit(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("journal_a")).Put(make([]byte, 8), []byte("short"))
		}), bolt.ErrDamaged},
		"read-only":  {func(_ *testing.T, path string) error { return os.Chmod(path, 0o400) }, bolt.ErrPermissions},
		"write-only": {func(_ *testing.T, path string) error { return os.Chmod(path, 0o266) }, bolt.ErrPermissions},
		"a folder": {func(_ *testing.T, path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		}, bolt.ErrNotRegular},
		"a pipe": {func(_ *testing.T, path string) error {
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
		}, bolt.ErrNotRegular},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			if err := c.spoil(t, path); err != nil {
				t.Fatal(err)
			}
			before, _ := content(path)
			db, err := bolt.Open(t.Context(), bolt.Config{Path: path})
			if err == nil {
				_ = db.Close()
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open is %v, want %v with the path", err, c.want)
			}
			if after, _ := content(path); !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
		})
	}
}

// content is what a regular file has.
func content(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	return os.ReadFile(path)
}

// filled is a data file with some sessions, closed.
func filled(t *testing.T) string {
	t.Helper()
	path := newPath(t)
	db := start(t, bolt.Config{Path: path})
	for n := 1; n <= 50; n++ {
		mustCreate(t, db, n, "u")
	}
	for range 2 { // marks over nothing
		_, err := db.Mark(t.Context(), session.MarkRequest{
			Scope: revocation.ClientScope("nobody"), At: epoch, Notice: session.Notice{Life: time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func rewrite(fn func([]byte) []byte) func(*testing.T, string) error {
	return func(_ *testing.T, path string) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, fn(b), 0o600)
	}
}

// lastPage is where the last page begins that is in use, as the newer header says.
func lastPage(b []byte) int {
	pages := 0
	for _, at := range []int{0, 4096} {
		pages = max(pages, int(b[at+16+40])|int(b[at+16+41])<<8)
	}
	return (pages - 1) * 4096
}

func edit(fn func(*bbolt.Tx) error) func(*testing.T, string) error {
	return func(_ *testing.T, path string) error {
		file, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			return err
		}
		return errors.Join(file.Update(fn), file.Close())
	}
}

// A folder that is missing is made for its owner alone, and so is the file.
func TestOpenModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "store.db")
	start(t, bolt.Config{Path: path})
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %#o, want %#o", name, got, want)
		}
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A start that died half-way left a file of another name: it does not matter.
func TestOpenAfterUnfinishedStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, start(t, bolt.Config{Path: path}), 1, "u")
}

func TestOpenWhereNothingCanBeMade(t *testing.T) {
	_, err := bolt.Open(t.Context(), bolt.Config{Path: "/proc/no/store.db"})
	if err == nil || !strings.Contains(err.Error(), "/proc/no") {
		t.Errorf("Open is %v, want an error with the path", err)
	}
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	first := start(t, bolt.Config{Path: path})
	if _, err := bolt.Open(t.Context(), bolt.Config{Path: path}); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("a second Open is %v, want %v", err, bolt.ErrLocked)
	}
	if err := bolt.Compact(t.Context(), path); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("Compact is %v, want %v", err, bolt.ErrLocked)
	}
	mustCreate(t, first, 1, "u")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if second := start(t, bolt.Config{Path: path}); second.Live() != 1 {
		t.Errorf("%d sessions, want 1", second.Live())
	}
}

// Every single damaged page that is in use is found by Check, and no damage of one ends
// the process, with Check or without.
func TestOpenDamagedPages(t *testing.T) {
	t.Parallel()
	path := filled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 8192; at < lastPage(whole)+4096; at += 4096 {
		damaged := bytes.Clone(whole)
		for i := range 64 {
			damaged[at+i] ^= 0xa5
		}
		for _, check := range []bool{true, false} {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Check: check})
			if err == nil {
				_, _ = generation(t.Context(), db, 1)
				_ = db.Close()
			} else if !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("damaged at %d, check %t: %v, want %v", at, check, err, bolt.ErrDamaged)
			}
			if again, err := bolt.Open(t.Context(), bolt.Config{Path: path}); errors.Is(err, bolt.ErrLocked) {
				t.Errorf("damaged at %d, check %t: the refusal keeps the lock", at, check)
			} else if err == nil {
				_ = again.Close()
			}
		}
	}
}
