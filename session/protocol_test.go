package session_test

import (
	"log/slog"
	"testing"
	"time"

	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/storetest"
)

const window = 10 * time.Second

// TestProtocol holds the invariants of refreshing and revoking, as properties of random
// interleavings. They live with the suite that every store passes.
func TestProtocol(t *testing.T) {
	storetest.RunProtocol(t, storetest.Embedded(func(t testing.TB, path string) store.Backend {
		t.Helper()
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}))
}
