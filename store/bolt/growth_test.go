package bolt_test

import (
	"bytes"
	"log/slog"
	"testing"

	"issuer.example/store/bolt"
)

// Constant state: a session that has been refreshed thousands of times takes as much room as
// one that has not, once the journal has been round.
func TestStateDoesNotGrow(t *testing.T) {
	t.Parallel()
	db, err := bolt.Open(t.Context(), bolt.Config{
		Path: t.TempDir() + "/issuer.db", Logger: slog.New(slog.DiscardHandler),
	}.Small())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustCreate(t, db, 1, "u1")
	refresh := func(times int) int {
		for range times {
			if err := advance(t.Context(), db, 1); err != nil {
				t.Fatal(err)
			}
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
