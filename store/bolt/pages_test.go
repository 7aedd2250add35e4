package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"issuer.example/store/bolt"
)

// A file with any damage to its pages is either refused or read without ending the
// process: bbolt's own walks run on goroutines that nobody could recover.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), "store.db")
	db := start(f, bolt.Config{Path: path}.Small())
	for n := 1; n <= 60; n++ {
		mustCreate(f, db, n, "u")
		if err := advance(f.Context(), db, n); err != nil {
			f.Fatal(err)
		}
	}
	if err := db.Crash(); err != nil { // so that every page is walked through
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	whole = whole[:lastPage(whole)+4096] // the rest is room to grow
	for page := 8192; page < len(whole); page += 4096 {
		for field := 0; field < 48; field += 4 {
			f.Add(uint32(page+field), []byte{1, 2})
		}
	}
	f.Fuzz(func(t *testing.T, at uint32, damage []byte) {
		damaged := bytes.Clone(whole)
		if int(at) < len(damaged) {
			copy(damaged[at:], damage)
		}
		path := filepath.Join(t.TempDir(), "store.db")
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: quiet()})
		if err != nil {
			return
		}
		for n := 1; n <= 60; n++ {
			_, _ = generation(t.Context(), db, n)
		}
		_ = advance(t.Context(), db, 30)
		_ = db.Close()
	})
}
