package storetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/store"
)

// Retention is for how long the stores of a [Harness] keep facts that verifiers need not
// know of any more.
const Retention = 30 * 24 * time.Hour

// Harness makes an empty store for a test. Nothing has opened it yet. It is set up to keep
// facts for [Retention].
type Harness func(t testing.TB) Instance

// Instance is one store, wherever its data is kept. Its methods end the test if they fail.
type Instance interface {
	// Open opens the store for one more issuer. A store that only one process can use at a
	// time returns the same handle until it is closed.
	Open(t testing.TB) store.Backend
	// Close closes all handles, as issuers do that stop.
	Close(t testing.TB)
	// Crash abandons all handles, as if the issuers and the store had lost power. No
	// operation is under way. What Open finds afterwards is what survives that.
	Crash(t testing.TB)
}

// Embedded is the [Harness] of a back end that keeps a store in files of one folder, which
// one process has open. The path that open is given is in a folder of its own. A crash is
// a copy of that folder that is made while the store is open.
func Embedded(open func(t testing.TB, path string) store.Backend) Harness {
	return func(t testing.TB) Instance {
		t.Helper()
		e := &embedded{open: open, path: filepath.Join(t.TempDir(), "store.db")}
		t.Cleanup(func() { e.Close(t) })
		return e
	}
}

type embedded struct {
	open   func(t testing.TB, path string) store.Backend
	path   string
	handle store.Backend // nil: closed
}

func (e *embedded) Open(t testing.TB) store.Backend {
	t.Helper()
	if e.handle == nil {
		e.handle = e.open(t, e.path)
	}
	return e.handle
}

func (e *embedded) Close(t testing.TB) {
	t.Helper()
	if e.handle == nil {
		return
	}
	if err := e.handle.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	e.handle = nil
}

func (e *embedded) Crash(t testing.TB) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Dir(e.path))); err != nil {
		t.Fatalf("copying the store: %v", err)
	}
	restrict(t, folder)
	e.Close(t)
	e.path = filepath.Join(folder, filepath.Base(e.path))
}

// restrict gives the copies the mode of the originals, which os.CopyFS does not.
func restrict(t testing.TB, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Chmod(filepath.Join(folder, file.Name()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
