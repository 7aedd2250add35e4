package bolt_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// Constant state: a session that has been refreshed thousands of times takes as much room as
// one that has not, once the journal has been round.
func TestStateDoesNotGrow(t *testing.T) {
	db, err := bolt.Open(t.Context(), bolt.Config{
		Path: t.TempDir() + "/issuer.db", Logger: slog.New(slog.DiscardHandler),
	}.Small())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := sid.NewGenerator(nil).Next()
	update := func(fn func(tx session.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx session.Tx) error {
		s := session.Session{ID: id, User: session.User{ID: "u1"}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		return tx.Create(s, session.State{RedeemedAt: now, LastSeenAt: now}, now.Add(time.Hour))
	})
	generation := uint32(0)
	refresh := func(times int) int {
		for range times {
			generation++
			update(func(tx session.Tx) error {
				return tx.SetState(id, session.State{Generation: generation, RedeemedAt: now, LastSeenAt: now})
			})
		}
		var copied bytes.Buffer
		if err := db.Backup(t.Context(), &copied); err != nil {
			t.Fatal(err)
		}
		return copied.Len()
	}
	before := refresh(500)
	if after := refresh(5000); after > before {
		t.Errorf("5,000 refreshes have grown the file from %d to %d bytes", before, after)
	}
}
