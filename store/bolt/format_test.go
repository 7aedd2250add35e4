package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/store/bolt"
)

const noFreelist = ^uint64(0)

// newestHeader is the header of a file that counts.
func newestHeader(b []byte) []byte {
	first, second := b[16:80], b[4096+16:4096+80]
	if binary.NativeEndian.Uint64(second[48:]) > binary.NativeEndian.Uint64(first[48:]) {
		return second
	}
	return first
}

// headers changes both headers, with checksums that fit.
func headers(change func(h []byte)) func([]byte) []byte {
	return func(b []byte) []byte {
		for _, h := range [][]byte{b[16:80], b[4096+16 : 4096+80]} {
			change(h)
			sum := fnv.New64a()
			sum.Write(h[:56])
			binary.NativeEndian.PutUint64(h[56:], sum.Sum64())
		}
		return b
	}
}

// freelist changes the page that lists the free ones.
func freelist(change func(page []byte)) func([]byte) []byte {
	return func(b []byte) []byte {
		change(b[binary.NativeEndian.Uint64(newestHeader(b)[32:])*4096:])
		return b
	}
}

// bbolt takes the header and the list of free pages on trust. They are not trusted here,
// even where their checksums fit.
func TestOpenRefusesHeader(t *testing.T) {
	t.Parallel()
	order := binary.NativeEndian
	for name, c := range map[string]struct {
		spoil func([]byte) []byte
		want  error
	}{
		"a later bbolt":       {headers(func(h []byte) { order.PutUint32(h[4:], 3) }), bolt.ErrNotStore},
		"no page size":        {headers(func(h []byte) { order.PutUint32(h[8:], 0) }), bolt.ErrNotStore},
		"a huge page size":    {headers(func(h []byte) { order.PutUint32(h[8:], 1<<31) }), bolt.ErrNotStore},
		"too many pages":      {headers(func(h []byte) { order.PutUint64(h[40:], 1<<60) }), bolt.ErrTruncated},
		"root outside":        {headers(func(h []byte) { order.PutUint64(h[16:], 1<<40) }), bolt.ErrDamaged},
		"root a header":       {headers(func(h []byte) { order.PutUint64(h[16:], 1) }), bolt.ErrDamaged},
		"freelist outside":    {headers(func(h []byte) { order.PutUint64(h[32:], 1<<40) }), bolt.ErrDamaged},
		"freelist a leaf":     {headers(func(h []byte) { copy(h[32:40], h[16:24]) }), bolt.ErrDamaged},
		"freelist too long":   {freelist(func(p []byte) { order.PutUint16(p[10:], 0xFFFE) }), bolt.ErrDamaged},
		"freelist endless":    {freelist(func(p []byte) { order.PutUint16(p[10:], 0xFFFF); order.PutUint64(p[16:], 1<<62) }), bolt.ErrDamaged},
		"freelist of headers": {freelist(func(p []byte) { order.PutUint64(p[16:], 0) }), bolt.ErrDamaged},
		"freelist twice":      {freelist(func(p []byte) { copy(p[24:32], p[16:24]) }), bolt.ErrDamaged},
		"freelist overflows":  {freelist(func(p []byte) { order.PutUint32(p[12:], 1<<30) }), bolt.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			if err := rewrite(c.spoil)(t, path); err != nil {
				t.Fatal(err)
			}
			before, _ := content(path)
			_, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open is %v, want %v with the path", err, c.want)
			}
			if after, _ := content(path); !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
		})
	}
}

// A bbolt file that is not ours is not taken over, even if nothing is in it.
func TestOpenRefusesEmptyBolt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	other, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := content(path)
	if _, err := bolt.Open(t.Context(), bolt.Config{Path: path}); !errors.Is(err, bolt.ErrForeign) {
		t.Errorf("got %v, want %v", err, bolt.ErrForeign)
	}
	if after, _ := content(path); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
}

// Who finds the file locked waits as long as it was told to, or until its context ends.
func TestOpenWaitsForLock(t *testing.T) {
	path := filled(t)
	synctest.Test(t, func(t *testing.T) {
		first := start(t, bolt.Config{Path: path})
		for _, wait := range []time.Duration{0, time.Second, 10 * time.Second} {
			begin := time.Now()
			_, err := bolt.Open(t.Context(), bolt.Config{Path: path, LockWait: wait})
			if !errors.Is(err, bolt.ErrLocked) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v with the path", err, bolt.ErrLocked)
			}
			if waited := time.Since(begin); waited != wait {
				t.Errorf("it waited %v, want %v", waited, wait)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := bolt.Open(ctx, bolt.Config{Path: path, LockWait: time.Second}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		time.AfterFunc(time.Second/2, func() { _ = first.Close() })
		if second := start(t, bolt.Config{Path: path, LockWait: time.Second}); second.Live() != 50 {
			t.Errorf("%d sessions, want 50", second.Live())
		}
	})
}

// A clean Close writes the list of free pages, so that the next Open reads that instead of
// the whole file; commits go without it, and Open says when it has to search.
func TestFreelistOnDisk(t *testing.T) {
	path := filled(t)
	listed := func() bool {
		b, err := content(path)
		if err != nil {
			t.Fatal(err)
		}
		return binary.NativeEndian.Uint64(newestHeader(b)[32:]) != noFreelist
	}
	opens := func(said bool) *bolt.DB {
		t.Helper()
		var log bytes.Buffer
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "not closed cleanly"); got != said {
			t.Errorf("opening says %q", log.String())
		}
		return db
	}
	if !listed() {
		t.Error("no list after Close")
	}
	db := opens(false)
	mustCreate(t, db, 51, "u")
	if listed() {
		t.Error("a commit wrote the list")
	}
	if err := db.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := opens(true).Close(); err != nil {
		t.Fatal(err)
	}
	if err := opens(false).Close(); err != nil {
		t.Fatal(err)
	}
}

// Check finds what does not add up, even where every page is whole.
func TestCheckReadsRecords(t *testing.T) {
	t.Parallel()
	first := id(1)
	user := append([]byte("u\x00"), first[:]...)
	for name, spoil := range map[string]func(tx *bbolt.Tx) error{
		"record damaged":    func(tx *bbolt.Tx) error { return tx.Bucket([]byte("sessions")).Put(first[:], []byte("?")) },
		"record missing":    func(tx *bbolt.Tx) error { return tx.Bucket([]byte("sessions")).Delete(first[:]) },
		"state damaged":     func(tx *bbolt.Tx) error { return tx.Bucket([]byte("state")).Put(first[:], []byte("?")) },
		"state missing":     func(tx *bbolt.Tx) error { return tx.Bucket([]byte("state")).Delete(first[:]) },
		"state of nothing":  func(tx *bbolt.Tx) error { return tx.Bucket([]byte("state")).Put(make([]byte, 16), make([]byte, 44)) },
		"index lacks it":    func(tx *bbolt.Tx) error { return tx.Bucket([]byte("by_user")).Delete(user) },
		"index has nothing": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("by_user_ended")).Put(user, nil) },
		"never due":         func(tx *bbolt.Tx) error { c := tx.Bucket([]byte("by_due")).Cursor(); c.First(); return c.Delete() },
		"due of nothing":    func(tx *bbolt.Tx) error { return tx.Bucket([]byte("by_due")).Put(make([]byte, 24), nil) },
		"facts damaged":     func(tx *bbolt.Tx) error { return tx.Bucket([]byte("facts")).Put(make([]byte, 8), []byte("?")) },
		"facts with a gap":  func(tx *bbolt.Tx) error { return tx.Bucket([]byte("facts")).Delete(append(make([]byte, 7), 2)) },
		"revocation of none": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("log")).Put(append(make([]byte, 7), 9), make([]byte, 8))
		},
		"revocation moved": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("log")).Put(append(make([]byte, 7), 2), append(make([]byte, 7), 1))
		},
		"mark damaged": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("marks")).Put([]byte("\x02u"), []byte("?")) },
		"keys damaged": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("keys")).Put([]byte("set"), []byte("?")) },
		"unknown keys": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("keys")).Put([]byte("more"), make([]byte, 9)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			start(t, bolt.Config{Path: path, Check: true}).Close()
			if err := edit(spoil)(t, path); err != nil {
				t.Fatal(err)
			}
			if _, err := bolt.Open(t.Context(), bolt.Config{Path: path, Check: true}); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("Open is %v, want %v", err, bolt.ErrDamaged)
			}
			if err := bolt.Compact(t.Context(), path); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("Compact is %v, want %v", err, bolt.ErrDamaged)
			}
		})
	}
	t.Run("counters wrong", func(t *testing.T) {
		path := filled(t)
		db := start(t, bolt.Config{Path: path})
		if err := errors.Join(db.Miscount(), db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := bolt.Open(t.Context(), bolt.Config{Path: path, Check: true}); !errors.Is(err, bolt.ErrDamaged) {
			t.Errorf("got %v, want %v", err, bolt.ErrDamaged)
		}
	})
}

// A data file may be reached by a link. What it leads to is what is locked and compacted.
func TestLinkedFile(t *testing.T) {
	t.Parallel()
	path := filled(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	db := start(t, bolt.Config{Path: link})
	if _, err := bolt.Open(t.Context(), bolt.Config{Path: path}); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("got %v, want %v", err, bolt.ErrLocked)
	}
	if err := errors.Join(db.Close(), bolt.Compact(t.Context(), link)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is %v (%v)", info.Mode(), err)
	}
	if db := start(t, bolt.Config{Path: path, Check: true}); db.Live() != 50 {
		t.Errorf("%d sessions, want 50", db.Live())
	}
}

// Who compacts may be another user than who runs the store: the file keeps its owner.
func TestCompactKeepsOwner(t *testing.T) {
	path := filled(t)
	want := uint32(os.Getuid())
	if want == 0 { // only then may a test give a file away
		want = 12345
		if err := os.Chown(path, int(want), int(want)); err != nil {
			t.Fatal(err)
		}
	}
	if err := bolt.Compact(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got != want || info.Mode().Perm() != 0o600 {
		t.Errorf("it belongs to %d with mode %#o, want %d with 0600", got, info.Mode().Perm(), want)
	}
}
