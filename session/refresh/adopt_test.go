package refresh

import (
	"sync"
	"testing"
	"time"

	"issuer.example/sid"
)

// After Adopt a keyring seals and opens with the other keys, while others use it.
func TestAdopt(t *testing.T) {
	ring, next := testRing(t, 1), testRing(t, 2, 1)
	id := sid.Next(sid.ID{}, time.Now())
	old := ring.Seal(ring.First(id))
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for range 1000 {
				if _, err := ring.Open(ring.Seal(ring.First(id))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	ring.Adopt(next)
	users.Wait()
	if got, err := ring.Open(old); err != nil || got.KeyID != 1 {
		t.Errorf("a token of before opens as %+v, %v", got, err)
	}
	if got, err := ring.Open(ring.Seal(ring.First(id))); err != nil || got.KeyID != 2 {
		t.Errorf("a new token opens as %+v, %v", got, err)
	}
	ring.Adopt(testRing(t, 2))
	if _, err := ring.Open(old); err == nil {
		t.Error("a removed key still opens")
	}
}
