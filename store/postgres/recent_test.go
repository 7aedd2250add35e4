package postgres

import (
	"testing"

	"issuer.example/sid"
)

// The memory is bounded, and forgets what was used longest ago.
func TestRecentSessions(t *testing.T) {
	r, ids := newRecentSessions(), make([]sid.ID, maxRecent+10)
	for i := range ids {
		ids[i] = sid.Next(ids[max(i-1, 0)], begin())
		s := plain(ids[i], "u1")
		r.Add(ids[i], &s)
		if _, ok := r.Get(ids[0]); !ok {
			t.Fatal("what is used all the time was forgotten")
		}
	}
	if len(r.byID) != maxRecent || r.order.Len() != maxRecent {
		t.Errorf("%d sessions are remembered, in an order of %d", len(r.byID), r.order.Len())
	}
	if _, ok := r.Get(ids[1]); ok {
		t.Error("what was used longest ago is remembered")
	}
	r.Remove(ids[0])
	if _, ok := r.Get(ids[0]); ok {
		t.Error("what was removed is remembered")
	}
}
