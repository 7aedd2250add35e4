package move_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/session"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

// changed is an archive of which each item is changed first.
type changed struct {
	store.Archive

	change func(n int, i *store.Item) error
}

func (c changed) Items(ctx context.Context) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		n := 0
		for item, err := range c.Archive.Items(ctx) {
			if err == nil {
				err = c.change(n, &item)
			}
			if n++; !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// targets make new stores, each with a function that says whether it has got its place.
func targets(t *testing.T) map[string]func(fill func(store.Target) error) (exists bool, err error) {
	path, dsn := filepath.Join(t.TempDir(), "store.db"), newDatabase(t)
	return map[string]func(func(store.Target) error) (bool, error){
		"bolt": func(fill func(store.Target) error) (bool, error) {
			err := bolt.Import(t.Context(), path, fill)
			_, missing := os.Stat(path)
			return !errors.Is(missing, fs.ErrNotExist), err
		},
		"postgres": func(fill func(store.Target) error) (bool, error) {
			err := postgres.Import(t.Context(), postgres.Config{DSN: dsn}, fill)
			again := postgres.Import(t.Context(), postgres.Config{DSN: dsn}, func(store.Target) error { return errStopped })
			return !errors.Is(again, errStopped), err
		},
	}
}

var errStopped = errors.New("stopped")

// A move that fails half-way leaves nothing, and can be started again. One into a store that is there is refused.
func TestInterrupted(t *testing.T) {
	for name, into := range targets(t) {
		t.Run(name, func(t *testing.T) {
			for _, at := range []int{0, 1, 500, 1500} {
				broken := changed{storetest.Archive(1000), func(n int, _ *store.Item) error {
					if n == at {
						return errStopped
					}
					return nil
				}}
				exists, err := into(func(to store.Target) error { return to.Fill(t.Context(), broken.Items(t.Context())) })
				if exists || !errors.Is(err, errStopped) {
					t.Errorf("stopped at item %d: the store is there: %v, %v", at, exists, err)
				}
			}
			whole := func(to store.Target) error {
				_, err := move.Copy(t.Context(), storetest.Archive(1000), to, silent{})
				return err
			}
			if exists, err := into(whole); !exists || err != nil {
				t.Fatalf("the store is there: %v, %v", exists, err)
			}
			_, err := into(whole)
			if !errors.Is(err, bolt.ErrExists) && !errors.Is(err, postgres.ErrNotEmpty) {
				t.Errorf("into a store that is there: %v", err)
			}
		})
	}
}

// lossy is a target that keeps something else than it was given.
type lossy struct {
	store.Target

	change func(n int, i *store.Item) error
}

func (l lossy) Items(ctx context.Context) iter.Seq2[store.Item, error] {
	return changed{l.Target, l.change}.Items(ctx)
}

// A copy that differs in anything from the source is refused, with what differs and without its value.
func TestDifferent(t *testing.T) {
	differences := map[string]func(n int, i *store.Item) error{
		"session 019ca": func(_ int, i *store.Item) error { return onSession(i, func(s *store.Session) { s.State.Generation++ }) },
		"Session.UserAgent": func(_ int, i *store.Item) error {
			return onSession(i, func(s *store.Session) { s.Session.UserAgent = "secret" })
		},
		"DueAt": func(_ int, i *store.Item) error {
			return onSession(i, func(s *store.Session) { s.DueAt = s.DueAt.Add(1e6) })
		},
		"Snapshot.End": func(_ int, i *store.Item) error {
			return onSession(i, func(s *store.Session) { s.End = session.End{}; s.End.Reason = "x" })
		},
		"fact 1 differs in": func(_ int, i *store.Item) error {
			if i.Fact != nil {
				i.Fact.By = "secret"
			}
			return nil
		},
		"the set of keys": func(_ int, i *store.Item) error {
			if i.Keys != nil {
				i.Keys.Version++
			}
			return nil
		},
		"newest identifier": func(_ int, i *store.Item) error {
			if i.Totals != nil {
				i.Totals.Newest = storetest.ArchiveID(3)
			}
			return nil
		},
		"totals differ in Fact": func(_ int, i *store.Item) error {
			if i.Totals != nil {
				i.Totals.Fact++
			}
			return nil
		},
	}
	for want, change := range differences {
		err := bolt.Import(t.Context(), filepath.Join(t.TempDir(), "store.db"), func(to store.Target) error {
			_, err := move.Copy(t.Context(), storetest.Archive(10), lossy{to, change}, silent{})
			return err
		})
		if !errors.Is(err, move.ErrDiffers) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

func onSession(i *store.Item, change func(*store.Session)) error {
	if i.Session != nil {
		change(i.Session)
	}
	return nil
}

// A source that lacks what it says it has is refused.
func TestIncomplete(t *testing.T) {
	for name, change := range map[string]func(n int, i *store.Item) error{
		"a session": func(_ int, i *store.Item) error {
			if i.Totals != nil {
				i.Totals.Live++
			}
			return nil
		},
		"a fact": func(_ int, i *store.Item) error {
			if i.Fact != nil && i.Fact.Number > 5 {
				i.Fact.Number++
			}
			return nil
		},
		"a revocation": func(_ int, i *store.Item) error {
			if i.Totals != nil {
				i.Totals.Revocation = 1
			}
			return nil
		},
		"a mark": func(_ int, i *store.Item) error {
			if i.Totals != nil {
				i.Totals.Marks = 1
			}
			return nil
		},
	} {
		err := bolt.Import(t.Context(), filepath.Join(t.TempDir(), "store.db"), func(to store.Target) error {
			_, err := move.Copy(t.Context(), changed{storetest.Archive(10), change}, to, silent{})
			return err
		})
		if !errors.Is(err, move.ErrIncomplete) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// A source that was never used is taken for the target.
func TestEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if _, err := toFile(t, newDatabase(t), path); !errors.Is(err, move.ErrEmpty) {
		t.Errorf("from an empty database: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

// A database that issuers use is not read, and a file that one has open is not, either.
func TestInUse(t *testing.T) {
	dsn, path := newDatabase(t), filepath.Join(t.TempDir(), "store.db")
	db := openStore(t, "", dsn)
	if _, err := toFile(t, dsn, path); !errors.Is(err, postgres.ErrInUse) {
		t.Errorf("with an issuer on the database: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openStore(t, path, "")
	if _, err := toDatabase(t, path, dsn); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("with an issuer on the file: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
