package bolt_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store"
	"issuer.example/store/bolt"
)

// A session that cannot be read is left out if that was asked for. Nothing else that is damaged ever is.
func TestExportDamaged(t *testing.T) {
	session0 := id(3)
	for name, c := range map[string]struct {
		bucket     string
		key, value []byte // no value: the key is removed
		left       int64  // sessions that are left without the damaged one; 0: it is refused in any case
	}{
		"record":      {"sessions", session0[:], []byte("junk"), 4},
		"no record":   {"sessions", session0[:], nil, 4},
		"state":       {"state", session0[:], []byte("junk"), 4},
		"no state":    {"state", session0[:], nil, 4},
		"mark":        {"marks", []byte("\x02other"), []byte("junk"), 0},
		"facts":       {"facts", []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte("junk"), 0},
		"set of keys": {"keys", []byte("set"), []byte("junk"), 0},
		"counters":    {"meta", []byte("counters"), []byte("junk"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := small(t)
			damage(t, path, c.bucket, c.key, c.value)
			if n, err := exported(t, path, false); !errors.Is(err, bolt.ErrDamaged) || n != 0 {
				t.Errorf("%d sessions, %v; want %v", n, err, bolt.ErrDamaged)
			}
			n, err := exported(t, path, true)
			if n != c.left || (c.left == 0) != errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("without damaged sessions: %d, %v; want %d", n, err, c.left)
			}
		})
	}
}

// small has five sessions, each of which is a fact of a commit of its own, and a mark.
func small(t *testing.T) (path string) {
	t.Helper()
	path = newPath(t)
	db := start(t, bolt.Config{Path: path})
	for n := range 5 {
		mustCreate(t, db, n+1, fmt.Sprintf("user-%d", n))
	}
	_, err := db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.UserScope("other"), At: epoch, Reason: session.ReasonServiceRevoked,
		Judge: func(session.Snapshot) session.Verdict { return session.Verdict{} },
	})
	if err == nil {
		err = db.SwapKeys(t.Context(), 0, []byte("sealed"), nil)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func damage(t *testing.T, path, bucket string, key, value []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if value == nil {
			return tx.Bucket([]byte(bucket)).Delete(key)
		}
		return tx.Bucket([]byte(bucket)).Put(key, value)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// exported counts the sessions of a file.
func exported(t *testing.T, path string, skipDamaged bool) (n int64, err error) {
	t.Helper()
	err = bolt.Export(t.Context(), path, skipDamaged, func(from store.Archive) error {
		for item, err := range from.Items(t.Context()) {
			switch {
			case err != nil:
				n = 0
				return err
			case item.Session != nil:
				n++
			case item.Totals != nil && item.Totals.Unreadable > 1:
				t.Errorf("%d sessions are left out, want 1", item.Totals.Unreadable)
			}
		}
		return nil
	})
	return n, err
}

// A session that upkeep was not to look at is moved all the same, and looked at when it would end.
func TestExportWithoutDue(t *testing.T) {
	path := small(t)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte("by_due")), func() error { _, err := tx.CreateBucket([]byte("by_due")); return err }())
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	moved := newPath(t)
	var problems []string
	err = bolt.Import(t.Context(), moved, func(to store.Target) error {
		return bolt.Export(t.Context(), path, false, func(from store.Archive) error {
			if err := to.Fill(t.Context(), from.Items(t.Context())); err != nil {
				return err
			}
			for item, err := range to.Items(t.Context()) {
				if s := item.Session; err != nil || s != nil && !s.DueAt.Equal(s.State.LastSeenAt.Add(s.Session.IdleTimeout)) {
					problems = append(problems, fmt.Sprintf("%+v, %v", s, err))
				}
			}
			return nil
		})
	})
	if err != nil || len(problems) > 0 {
		t.Errorf("%v; %s", err, strings.Join(slices.Compact(problems), "\n"))
	}
}
