package move_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/storetest"
)

// BenchmarkMove moves a file of a browser's sessions into a database and back. One operation is one session.
func BenchmarkMove(b *testing.B) {
	const n = 100_000
	path := filepath.Join(b.TempDir(), "store.db")
	began := time.Now()
	err := bolt.Import(b.Context(), path, func(to store.Target) error {
		_, err := move.Copy(b.Context(), storetest.Archive(n), to, silent{})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("made in %s", time.Since(began))
	var there, back time.Duration
	for b.Loop() {
		dsn, copied := newDatabase(b), path+".back"
		there += timed(b, func() error { _, err := toDatabase(b, path, dsn); return err })
		back += timed(b, func() error { _, err := toFile(b, dsn, copied); return err })
		if err := os.Remove(copied); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/there.Seconds(), "sessions/s-to-postgres")
	b.ReportMetric(n*float64(b.N)/back.Seconds(), "sessions/s-to-bolt")
}

func timed(b *testing.B, fn func() error) time.Duration {
	b.Helper()
	began := time.Now()
	if err := fn(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
