package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"issuer.example/session"
	"issuer.example/store/bolt"
)

// These tests run in bubbles: a goroutine that is left behind fails them, and the waits
// between attempts take no time.

// whole makes a store of n sessions and returns the content of its file beside it.
func whole(t *testing.T, n int) (db *bolt.DB, path string, content []byte) {
	t.Helper()
	path = newPath(t)
	db = start(t, bolt.Config{Path: path})
	for i := 1; i <= n; i++ {
		mustCreate(t, db, i, "u")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return db, path, content
}

// unanswered checks that a store that has failed answers nothing.
func unanswered(t *testing.T, db *bolt.DB) {
	t.Helper()
	_, err := generation(t.Context(), db, 1)
	refused(t, err)
	refused(t, advance(t.Context(), db, 1))
	refused(t, db.Healthy())
	_, err = db.LoadKeys(t.Context())
	refused(t, err)
}

// back waits until a store answers, and checks that it has n sessions and takes another.
func back(t *testing.T, db *bolt.DB, n int) {
	t.Helper()
	becomes(t, "the store is back", func() bool { return db.Healthy() == nil })
	if live := db.Live(); live != int64(n) {
		t.Errorf("%d sessions, want %d", live, n)
	}
	for i := 1; i <= n; i++ {
		if _, err := generation(t.Context(), db, i); err != nil {
			t.Errorf("session %d: %v", i, err)
		}
	}
	mustCreate(t, db, n+1, "u")
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A file that was cut short in place, as a careless copy over it does, is an error to
// whoever touches it first, even where the headers are gone; it is neither a crash nor a
// deadlock. When it is whole again, so is the store.
func TestFileCutWhileOpen(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 80, 4096, 8191, 8192, 12288} {
		for name, touch := range map[string]func(*testing.T, *bolt.DB) error{
			"reader": func(t *testing.T, db *bolt.DB) error { _, err := generation(t.Context(), db, 1); return err },
			"writer": func(t *testing.T, db *bolt.DB) error { return advance(t.Context(), db, 1) },
		} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					db, path, content := whole(t, 20)
					if err := os.Truncate(path, size); err != nil {
						t.Fatal(err)
					}
					refused(t, touch(t, db))
					unanswered(t, db)
					becomes(t, "it says why", func() bool {
						err := db.Healthy()
						return errors.Is(err, bolt.ErrEmpty) || errors.Is(err, bolt.ErrNotStore) ||
							errors.Is(err, bolt.ErrTruncated) || errors.Is(err, bolt.ErrDamaged)
					})
					if err := overwrite(path, 0, content); err != nil {
						t.Fatal(err)
					}
					back(t, db, 20)
				})
			})
		}
	}
}

// Readers and writers who are many when the file is cut all get an answer. The clock is the
// real one: a commit that bbolt has left waiting for a lock would stop that of a bubble.
func TestFileCutUnderLoad(t *testing.T) {
	db, path, content := whole(t, 20)
	answers := make(chan error)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			for ctx.Err() == nil {
				var err error
				if i%2 == 0 {
					err = advance(context.WithoutCancel(ctx), db, i+1)
				} else {
					_, err = generation(context.WithoutCancel(ctx), db, i+1)
				}
				select {
				case answers <- err:
				case <-ctx.Done():
				}
			}
		})
	}
	for range 200 {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	// The answers may all be readers'. This is acknowledged, and not in content.
	if err := errors.Join(advance(t.Context(), db, 1), os.Truncate(path, 0)); err != nil {
		t.Fatal(err)
	}
	for failed := 0; failed < 100; {
		if err := <-answers; errors.Is(err, session.ErrUnavailable) {
			failed++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	callers.Wait()
	refused(t, db.Healthy())
	if err := overwrite(path, 0, content); err != nil {
		t.Fatal(err)
	}
	becomes(t, "it says that commits are missing", func() bool { return errors.Is(db.Healthy(), bolt.ErrForgotten) })
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A transaction that may still be committing, on a goroutine that nobody waits for any more,
// is not rolled back beside it: bbolt would end the process.
func TestStuckBatchIsLeftAlone(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	if ended, err := db.RollBackStuck(); ended || err == nil {
		t.Errorf("ended: %t (%v), want it left alone", ended, err)
	}
}

// A file that comes back older than what was acknowledged is not answered from.
func TestOlderFileInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, path, older := whole(t, 10)
		mustCreate(t, db, 11, "u")
		newer, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Truncate(path, 0), overwrite(path, 0, older)); err != nil {
			t.Fatal(err)
		}
		if err := db.Break(); err != nil {
			t.Fatal(err)
		}
		refused(t, advance(t.Context(), db, 1))
		becomes(t, "it says that commits are missing", func() bool { return errors.Is(db.Healthy(), bolt.ErrForgotten) })
		unanswered(t, db)
		if err := overwrite(path, 0, newer); err != nil {
			t.Fatal(err)
		}
		back(t, db, 11)
	})
}

// A file that is gone is not made anew.
func TestFileRemovedWhileFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, path, _ := whole(t, 10)
		if err := errors.Join(os.Rename(path, path+".away"), db.Break()); err != nil {
			t.Fatal(err)
		}
		refused(t, advance(t.Context(), db, 1))
		becomes(t, "it says why", func() bool { return errors.Is(db.Healthy(), fs.ErrNotExist) })
		unanswered(t, db)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a file again: %v", err)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		back(t, db, 10)
	})
}

// A store that is back has its lock again; one that waits for another process says so.
func TestFileLockedWhileFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, path, _ := whole(t, 10)
		if err := errors.Join(os.Rename(path, path+".away"), db.Break()); err != nil {
			t.Fatal(err)
		}
		refused(t, advance(t.Context(), db, 1))
		becomes(t, "it says why", func() bool { return errors.Is(db.Healthy(), fs.ErrNotExist) })
		other := start(t, bolt.Config{Path: path + ".away"})
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		becomes(t, "it says that the file is locked", func() bool { return errors.Is(db.Healthy(), bolt.ErrLocked) })
		unanswered(t, db)
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		becomes(t, "the store is back", func() bool { return db.Healthy() == nil })
		if _, err := bolt.Open(t.Context(), bolt.Config{Path: path}); !errors.Is(err, bolt.ErrLocked) {
			t.Errorf("another Open of the store that is back: %v, want %v", err, bolt.ErrLocked)
		}
		back(t, db, 10)
	})
}

// Close ends a store that is failing, at once, and lets go of the file.
func TestCloseWhileFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, path, content := whole(t, 10)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		unanswered(t, db)
		becomes(t, "it says why", func() bool { return errors.Is(db.Healthy(), bolt.ErrEmpty) })
		if err := errors.Join(db.Close(), db.Close()); err != nil {
			t.Error(err)
		}
		unanswered(t, db)
		if err := overwrite(path, 0, content); err != nil {
			t.Fatal(err)
		}
		back(t, start(t, bolt.Config{Path: path}), 10)
	})
}

// Close of a store whose file is broken, which nobody has noticed yet, says so.
func TestCloseWhenBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, path, content := whole(t, 10)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); !errors.Is(err, bolt.ErrDamaged) {
			t.Errorf("got %v, want %v", err, bolt.ErrDamaged)
		}
		if err := overwrite(path, 0, content); err != nil {
			t.Fatal(err)
		}
		back(t, start(t, bolt.Config{Path: path}), 10)
	})
}

// A reader that has seen a commit whose fsync fails gets no answer from it.
func TestReaderOfFailedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _, _ := whole(t, 10)
		db.Doubt()
		answer := make(chan error, 1)
		go func() {
			_, err := generation(t.Context(), db, 1)
			answer <- err
		}()
		synctest.Wait()
		select {
		case err := <-answer:
			t.Fatalf("an answer before the commit is durable: %v", err)
		default:
		}
		if err := db.Break(); err != nil {
			t.Fatal(err)
		}
		refused(t, advance(t.Context(), db, 1))
		refused(t, <-answer)
		back(t, db, 10)
	})
}

// Who watches the log is told when the store is back: what a failed commit has written can
// be there.
func TestWatchersAreToldOfRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _, _ := whole(t, 3)
		grown := db.Watch(t.Context())
		if err := db.Break(); err != nil {
			t.Fatal(err)
		}
		refused(t, advance(t.Context(), db, 1))
		<-grown
		back(t, db, 3)
	})
}

// A store that fails again and again comes back each time.
func TestFailsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _, _ := whole(t, 10)
		for range 5 {
			if err := db.Break(); err != nil {
				t.Fatal(err)
			}
			refused(t, advance(t.Context(), db, 1))
			becomes(t, "the store is back", func() bool { return db.Healthy() == nil })
			if err := advance(t.Context(), db, 1); err != nil {
				t.Error(err)
			}
		}
		if g, err := generation(t.Context(), db, 1); g != 5 || err != nil {
			t.Errorf("at %d (%v), want 5", g, err)
		}
		back(t, db, 10)
	})
}
