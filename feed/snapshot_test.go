package feed_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
)

// snapshot returns the verified snapshot.
func (f *fixture) snapshot(t *testing.T) revocation.Snapshot {
	t.Helper()
	text, err := f.hub.Snapshot(t.Context())
	must(t, err)
	payload, err := jwt.VerifyDocument(text, f.keys, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	must(t, err)
	s, err := revocation.DecodeSnapshot(payload)
	must(t, err)
	if s.Issuer != issuer {
		t.Errorf("iss %s", s.Issuer)
	}
	return s
}

// The snapshot has every revocation that verifiers still need, over as many pages of the log
// as there are, and says where the stream goes on.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		if s := f.snapshot(t); s.Next != 0 || len(s.Entries) != 0 || !s.Last.IsZero() {
			t.Errorf("of an empty log: %+v", s)
		}
		time.Sleep(2 * time.Second) // of the bubble's clock
		must(t, f.mark(t.Context(), time.Minute))
		must(t, f.mark(t.Context(), 5*time.Minute))
		must(t, f.revoke(t.Context(), 1200))
		if s := f.snapshot(t); s.Next != 1202 || len(s.Entries) != 1202 {
			t.Errorf("next %d, %d entries", s.Next, len(s.Entries))
		}
		time.Sleep(time.Minute)
		s := f.snapshot(t)
		if s.Next != 1202 || len(s.Entries) != 1201 || s.Last.IsZero() {
			t.Errorf("after a minute: next %d, %d entries, last %s", s.Next, len(s.Entries), s.Last)
		}
		time.Sleep(time.Hour)
		f.trim(t, time.Now())
		if s := f.snapshot(t); s.Next != 1202 || len(s.Entries) != 0 || !s.Last.IsZero() {
			t.Errorf("when all is purged: %+v", s)
		}
	})
}

// Many verifiers at once cost one signature a second, and none gets an old list.
func TestSnapshotIsKeptForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 1))
		first, err := f.hub.Snapshot(t.Context())
		must(t, err)
		must(t, f.revoke(t.Context(), 1))
		time.Sleep(999 * time.Millisecond)
		for range 10 {
			again, err := f.hub.Snapshot(t.Context())
			must(t, err)
			if !bytes.Equal(first, again) {
				t.Fatal("signed again within a second")
			}
		}
		time.Sleep(time.Millisecond)
		if s := f.snapshot(t); s.Next != 2 {
			t.Errorf("next %d after a second", s.Next)
		}
		if n := f.seen.signatures(revocation.TypeSnapshot); n != 2 {
			t.Errorf("%d signatures", n)
		}
	})
}
