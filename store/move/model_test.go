package move_test

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"issuer.example/internal/rounds"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

// traveller is a store that is moved whenever it was closed: from a file into a database, and from
// there into another file.
type traveller struct {
	folder string
	files  int
	path   string // of the file that it is in, or
	dsn    string // of the database

	handles []store.Backend
	closed  bool // it is to be moved before it is opened
}

func newTraveller(t testing.TB) storetest.Instance {
	t.Helper()
	tr := &traveller{folder: t.TempDir()}
	tr.path = tr.nextPath()
	t.Cleanup(func() { tr.Close(t) })
	return tr
}

func (tr *traveller) nextPath() string {
	tr.files++
	return filepath.Join(tr.folder, fmt.Sprintf("store-%d.db", tr.files))
}

// Open implements [storetest.Instance].
func (tr *traveller) Open(t testing.TB) store.Backend {
	t.Helper()
	if tr.closed {
		tr.travel(t)
		tr.closed = false
	}
	if tr.dsn == "" && len(tr.handles) > 0 {
		return tr.handles[0] // one process has the file
	}
	db := openStore(t, tr.path, tr.dsn)
	tr.handles = append(tr.handles, db)
	return db
}

// openStore opens a file, or a database.
func openStore(t testing.TB, path, dsn string) store.Backend {
	t.Helper()
	if dsn == "" {
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, FactsKeep: storetest.Retention, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db, err := postgres.Open(t.Context(), postgres.Config{
		DSN: dsn, FactsKeep: storetest.Retention, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (tr *traveller) travel(t testing.TB) {
	t.Helper()
	path, dsn := "", ""
	var err error
	if tr.dsn == "" {
		dsn = newDatabase(t)
		_, err = toDatabase(t, tr.path, dsn)
	} else {
		path = tr.nextPath()
		_, err = toFile(t, tr.dsn, path)
	}
	if errors.Is(err, move.ErrEmpty) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	tr.path, tr.dsn = path, dsn
}

// Close implements [storetest.Instance].
func (tr *traveller) Close(t testing.TB) {
	t.Helper()
	for _, db := range tr.handles {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	tr.handles, tr.closed = nil, true
}

// Crash implements [storetest.Instance]: what is moved was closed.
func (tr *traveller) Crash(t testing.TB) {
	t.Helper()
	tr.Close(t)
}

// Whatever has been done to a store, it does not notice that it is moved to and fro.
func TestModel(t *testing.T) {
	rounds.Rapid(t, 8, 40)
	storetest.RunModel(t, newTraveller)
}
