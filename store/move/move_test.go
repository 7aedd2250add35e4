package move_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	os.Exit(m.Run())
}

// silent is a progress that nobody looks at.
type silent struct{}

func (silent) Begin(string, int64) {}
func (silent) Done(int64)          {}

// toDatabase moves a file into a database.
func toDatabase(t testing.TB, path, dsn string) (copied store.Totals, err error) {
	t.Helper()
	err = postgres.Import(t.Context(), postgres.Config{DSN: dsn}, func(to store.Target) error {
		return bolt.Export(t.Context(), path, false, func(from store.Archive) (err error) {
			copied, err = move.Copy(t.Context(), from, to, silent{})
			return err
		})
	})
	return copied, err
}

// toFile moves a database into a file.
func toFile(t testing.TB, dsn, path string) (copied store.Totals, err error) {
	t.Helper()
	err = bolt.Import(t.Context(), path, func(to store.Target) error {
		return postgres.Export(t.Context(), postgres.Config{DSN: dsn}, false, func(from store.Archive) (err error) {
			copied, err = move.Copy(t.Context(), from, to, silent{})
			return err
		})
	})
	return copied, err
}

func newDatabase(t testing.TB) (dsn string) {
	t.Helper()
	server := pgtest.Shared(t)
	migrated := server.Template(t, "migrated", func(dsn string) { migrate(t, dsn) })
	return server.SocketDSN(server.CopyDatabase(t, migrated))
}

// traveller is a store that is moved from a file into a database, and on into another file, whenever it was
// closed.
type traveller struct {
	folder string
	n      int // of the file
	handle store.Backend
}

func newTraveller(t testing.TB) storetest.Instance {
	t.Helper()
	tr := &traveller{folder: t.TempDir()}
	t.Cleanup(func() { tr.Close(t) })
	return tr
}

func (tr *traveller) path() string { return filepath.Join(tr.folder, fmt.Sprintf("store-%d.db", tr.n)) }

// Open implements [storetest.Instance].
func (tr *traveller) Open(t testing.TB) store.Backend {
	t.Helper()
	if tr.handle != nil {
		return tr.handle
	}
	if _, err := os.Stat(tr.path()); err == nil {
		tr.travel(t)
	}
	db, err := bolt.Open(t.Context(), bolt.Config{
		Path: tr.path(), FactsKeep: storetest.Retention, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.handle = db
	return db
}

func (tr *traveller) travel(t testing.TB) {
	t.Helper()
	dsn, from := newDatabase(t), tr.path()
	tr.n++
	switch _, err := toDatabase(t, from, dsn); {
	case errors.Is(err, move.ErrEmpty):
		tr.n--
		return
	case err != nil:
		t.Fatalf("to a database: %v", err)
	}
	if _, err := toFile(t, dsn, tr.path()); err != nil {
		t.Fatalf("to a file: %v", err)
	}
}

// Close implements [storetest.Instance].
func (tr *traveller) Close(t testing.TB) {
	t.Helper()
	if tr.handle == nil {
		return
	}
	if err := tr.handle.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	tr.handle = nil
}

// Crash implements [storetest.Instance]. A store that has crashed is not moved before it was opened.
func (tr *traveller) Crash(t testing.TB) { tr.Close(t) }

// Whatever has been done to a store, it does not notice that it is moved.
func TestModel(t *testing.T) {
	rounds.Rapid(t, 10, 50)
	storetest.RunModel(t, newTraveller)
}
