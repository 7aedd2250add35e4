package storetest

import (
	"testing"

	"issuer.example/store"
)

// kept is a [reference] that outlives its being closed.
type kept struct{ reference *reference }

func (k *kept) Open(testing.TB) store.Backend {
	k.reference.closed = false
	return k.reference
}

func (k *kept) Close(t testing.TB) {
	t.Helper()
	if err := k.reference.Close(); err != nil {
		t.Error(err)
	}
}

func (k *kept) Crash(t testing.TB) {
	t.Helper()
	k.Close(t)
}

// The reference passes the suite that back ends are held to: it asks for nothing that only
// one of them can do.
func TestReference(t *testing.T) {
	Run(t, func(testing.TB) Instance { return &kept{newReference()} })
}
