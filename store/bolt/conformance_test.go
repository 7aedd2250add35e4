package bolt_test

import (
	"log/slog"
	"testing"

	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, harness(func(cfg bolt.Config) bolt.Config { return cfg }))
}

// harness opens stores with a changed configuration.
func harness(change func(bolt.Config) bolt.Config) storetest.Harness {
	return storetest.Embedded(func(t testing.TB, path string) store.Backend {
		t.Helper()
		db, err := bolt.Open(t.Context(), change(bolt.Config{
			Path: path, FactsKeep: storetest.Retention, Logger: slog.New(slog.DiscardHandler),
		}))
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
