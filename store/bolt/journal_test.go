package bolt_test

import (
	"log/slog"
	"testing"

	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/storetest"
)

// TestConformanceSmallJournal runs the suite on a store that is forever sealing, folding
// and emptying its journals.
func TestConformanceSmallJournal(t *testing.T) {
	storetest.Run(t, func(t testing.TB, path string) store.Backend {
		t.Helper()
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)}.Small())
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
