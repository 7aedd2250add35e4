package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/store/bolt"
)

// A backup that is made while the store is written to opens, is whole, and holds at
// least what was committed before it began.
func TestBackupWhileWriting(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)}.Small())
	const before = 30
	for n := 1; n <= before; n++ {
		mustCreate(t, db, n, "u")
		if err := advance(t.Context(), db, n); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := before + 1; ctx.Err() == nil; n++ {
			if err := errors.Join(create(t.Context(), db, n, "u"), advance(t.Context(), db, n%before+1)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 20 {
		var copied bytes.Buffer
		if err := db.Backup(t.Context(), &copied); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "copy.db")
		if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		restored := start(t, bolt.Config{Path: path, Check: true})
		if restored.Live() < before {
			t.Errorf("%d sessions in the backup, want at least %d", restored.Live(), before)
		}
		for n := 1; n <= before; n++ {
			if g, err := generation(t.Context(), restored, n); err != nil || g < 1 {
				t.Errorf("session %d is at %d (%v) in the backup", n, g, err)
			}
		}
	}
	stop()
	wg.Wait()
}

func TestBackupStops(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Backup(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// Compact keeps all that is in the file and gives back the room that the rest took.
func TestCompact(t *testing.T) {
	path := newPath(t)
	db := start(t, bolt.Config{Path: path}.Small())
	const sessions = 3000
	for at := 1; at <= sessions; at += 500 {
		var batch []session.Session
		for n := at; n < at+500; n++ {
			batch = append(batch, sample(n, "u"))
		}
		if err := db.Insert(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	purge(t, db, sessions-100)
	for n := sessions - 99; n <= sessions; n++ {
		if err := advance(t.Context(), db, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.SwapKeys(t.Context(), 0, []byte("sealed"), nil), db.Close()); err != nil {
		t.Fatal(err)
	}
	large := size(t, path)
	if err := bolt.Compact(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if now := size(t, path); now > large/4 {
		t.Errorf("%d bytes became %d", large, now)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	db = start(t, bolt.Config{Path: path, Check: true})
	if db.Live() != 100 || db.LastID() != id(sessions) {
		t.Errorf("%d sessions up to %s, want 100 up to %s", db.Live(), db.LastID(), id(sessions))
	}
	for n := sessions - 99; n <= sessions; n++ {
		if g, err := generation(t.Context(), db, n); g != 1 || err != nil {
			t.Errorf("session %d is at %d (%v), want 1", n, g, err)
		}
	}
	if stored, err := db.LoadKeys(t.Context()); err != nil || stored.Version != 1 || string(stored.Document) != "sealed" {
		t.Errorf("the keys are %+v (%v)", stored, err)
	}
	mustCreate(t, db, sessions+1, "u")
}

// Compact folds the journals: a session that was refreshed ten thousand times takes as much
// room as one that was not, and each refresh token that was used stays used, whichever
// journal had it and whatever follows.
func TestCompactFoldsTheJournals(t *testing.T) {
	path := newPath(t)
	db := start(t, bolt.Config{Path: path})
	mustCreate(t, db, 1, "u")
	if err := errors.Join(db.Close(), bolt.Compact(t.Context(), path)); err != nil {
		t.Fatal(err)
	}
	small := size(t, path)
	db = start(t, bolt.Config{Path: path})
	const refreshes = 10_000
	advanceMany(t, db, 1, refreshes)
	if err := errors.Join(db.Close(), bolt.Compact(t.Context(), path)); err != nil {
		t.Fatal(err)
	}
	if now := size(t, path); now > small {
		t.Errorf("%d refreshes have made %d bytes of %d", refreshes, now, small)
	}
	db = start(t, bolt.Config{Path: path, Check: true})
	if g, err := generation(t.Context(), db, 1); g != refreshes || err != nil {
		t.Errorf("it is at %d (%v), want %d", g, err, refreshes)
	}
}

// advanceMany advances session n that many times, many at once.
func advanceMany(t *testing.T, db *bolt.DB, n, times int) {
	t.Helper()
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(times))
	for range 100 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := advance(t.Context(), db, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A used refresh token is used after a compaction and a crash, whatever the journals were
// like: empty, one of them begun, or one full and the other one half folded.
func TestUsedStaysUsedAfterCompact(t *testing.T) {
	path := newPath(t)
	db := start(t, bolt.Config{Path: path}.Small())
	const sessions = 7
	for n := 1; n <= sessions; n++ {
		mustCreate(t, db, n, "u")
	}
	want := map[int]uint32{}
	for round := range 60 {
		for n := 1; n <= sessions; n++ {
			if (round+n)%3 == 0 {
				continue
			}
			if err := advance(t.Context(), db, n); err != nil {
				t.Fatal(err)
			}
			want[n]++
		}
		if err := errors.Join(db.Crash(), bolt.Compact(t.Context(), path)); err != nil {
			t.Fatal(err)
		}
		db = start(t, bolt.Config{Path: path, Check: true}.Small())
		for n := 1; n <= sessions; n++ {
			if g, err := generation(t.Context(), db, n); g != want[n] || err != nil {
				t.Fatalf("round %d: session %d is at %d (%v), want %d", round, n, g, err, want[n])
			}
		}
	}
}

// purge removes the first n sessions.
func purge(t *testing.T, db *bolt.DB, n int) {
	t.Helper()
	req := session.SweepRequest{Now: epoch.Add(24 * time.Hour), Judge: func(snap session.Snapshot) session.Verdict {
		if snap.Session.ID.Compare(id(n)) > 0 {
			return session.Verdict{Again: epoch.Add(48 * time.Hour)}
		}
		return session.Verdict{End: session.End{At: epoch, Reason: session.ReasonIdle}, Again: epoch}
	}}
	for more := true; more; {
		swept, err := db.Sweep(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		more = swept.More
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A compaction that ends early leaves the file as it was.
func TestCompactStops(t *testing.T) {
	path := filled(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bolt.Compact(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
}
