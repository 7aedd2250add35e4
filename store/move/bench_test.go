package move_test

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
)

// made is an archive of as many sessions, two a user, that nobody has used yet.
type made int

// Items implements [store.Archive].
func (n made) Items(context.Context) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		ids := make([]sid.ID, n)
		var last sid.ID
		for i := range ids {
			// Not drawn: each call gives the same.
			last = sid.Next(sid.ID{}, begun.Add(time.Duration(i)*time.Millisecond))
			copy(last[8:], fmt.Sprintf("\x80%07d", i%1e7))
			ids[i] = last
		}
		ended := begun.Add(time.Duration(n) * time.Millisecond)
		totals := store.Totals{
			Live: int64(n), Newest: last, Latest: ended, Fact: uint64(n), FirstFact: 1, FirstRevocation: 1,
		}
		if !yield(store.Item{Totals: &totals}, nil) || !yield(store.Item{Keys: &keys.Stored{Version: 1, Document: []byte("sealed")}}, nil) {
			return
		}
		for i, id := range ids {
			f := fact.Fact{Number: uint64(i + 1), Kind: fact.Created, At: begun, SID: id, By: "web"}
			if !yield(store.Item{Fact: &f}, nil) {
				return
			}
		}
		for i, id := range ids {
			if !yield(store.Item{Session: signedIn(id, i, begun.Add(time.Duration(i)*time.Millisecond))}, nil) {
				return
			}
		}
	}
}

// signedIn is a session of a browser.
func signedIn(id sid.ID, n int, at time.Time) *store.Session {
	from := session.Device{
		IP:        netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	}
	return &store.Session{
		Snapshot: session.Snapshot{
			Session: session.Session{
				ID: id, User: session.User{ID: fmt.Sprintf("user-%d", n*7919%1000003/2), Email: fmt.Sprintf("user-%d@example.com", n)},
				ClientID: "web", AMR: []string{"pwd"}, IP: from.IP, UserAgent: from.UserAgent,
				CreatedAt: at, AuthTime: at, ExpiresAt: at.Add(90 * 24 * time.Hour), IdleTimeout: 14 * 24 * time.Hour,
			},
			State: session.State{
				State: refresh.State{KeyID: 1, RedeemedAt: at}, RedeemedFrom: from, LastSeenAt: at, LastFrom: from,
			},
		},
		DueAt: at.Add(14 * 24 * time.Hour),
	}
}

// BenchmarkMove moves a file of a browser's sessions into a database and back. One operation is one session.
func BenchmarkMove(b *testing.B) {
	const n = 100_000
	path := filepath.Join(b.TempDir(), "store.db")
	began := time.Now()
	err := bolt.Import(b.Context(), path, func(to store.Target) error {
		_, err := move.Copy(b.Context(), made(n), to, silent{})
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
