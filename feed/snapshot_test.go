package feed_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/session"
)

// snapshot takes and verifies the snapshot.
func (w *world) snapshot(t *testing.T) revocation.Snapshot {
	t.Helper()
	text, err := w.hub.Snapshot(t.Context())
	must(t, err)
	payload, err := jwt.VerifyDocument(text, w.keys, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	must(t, err)
	s, err := revocation.DecodeSnapshot(payload)
	must(t, err)
	if s.Issuer != issuer {
		t.Errorf("iss %s", s.Issuer)
	}
	return s
}

// The snapshot has every entry and mark whose end is to come, over as many pages of the log
// as there are, and says where the stream goes on.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		if s := w.snapshot(t); s.Next != 0 || len(s.Entries) != 0 || !s.Last.IsZero() {
			t.Errorf("of an empty log: %+v", s)
		}
		time.Sleep(2 * time.Second) // of the bubble's clock
		short, mark := w.entry(), w.entry()
		short.Until = short.At.Add(time.Minute)
		mark.Scope = revocation.UserScope("u1")
		must(t, w.store.Update(t.Context(), func(tx session.Tx) error {
			if err := tx.Revoke(short); err != nil {
				return err
			}
			return tx.Revoke(mark)
		}))
		must(t, w.revoke(t.Context(), 1200))
		if s := w.snapshot(t); s.Next != 1202 || len(s.Entries) != 1202 {
			t.Errorf("next %d, %d entries", s.Next, len(s.Entries))
		}
		time.Sleep(time.Minute)
		s := w.snapshot(t)
		if s.Next != 1202 || len(s.Entries) != 1201 || s.Last.IsZero() {
			t.Errorf("after a minute: next %d, %d entries, last %s", s.Next, len(s.Entries), s.Last)
		}
		time.Sleep(time.Hour)
		w.trim(t, time.Now())
		if s := w.snapshot(t); s.Next != 1202 || len(s.Entries) != 0 || !s.Last.IsZero() {
			t.Errorf("when all is purged: %+v", s)
		}
	})
}

// A herd of verifiers costs one signature a second, and none gets an old list.
func TestSnapshotIsKeptForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		must(t, w.revoke(t.Context(), 1))
		first, err := w.hub.Snapshot(t.Context())
		must(t, err)
		must(t, w.revoke(t.Context(), 1))
		time.Sleep(999 * time.Millisecond)
		for range 10 {
			again, err := w.hub.Snapshot(t.Context())
			must(t, err)
			if !bytes.Equal(first, again) {
				t.Fatal("signed again within a second")
			}
		}
		time.Sleep(time.Millisecond)
		if s := w.snapshot(t); s.Next != 2 {
			t.Errorf("next %d after a second", s.Next)
		}
		if n := w.seen.signatures(revocation.TypeSnapshot); n != 2 {
			t.Errorf("%d signatures", n)
		}
	})
}
