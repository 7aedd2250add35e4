package bolt_test

import (
	"log/slog"
	"testing"

	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t testing.TB, path string) store.Backend {
		t.Helper()
		db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
