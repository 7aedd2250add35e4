package storetest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"

	"issuer.example/session"
	"issuer.example/store"
)

// unreliable is a store some of whose operations fail, before or after they have had their
// effect.
type unreliable struct{ store.Backend }

// instance is a store that is open already.
type instance struct{ store.Backend }

func (i instance) Open(testing.TB) store.Backend { return i.Backend }
func (instance) Close(testing.TB)                {}
func (instance) Crash(testing.TB)                {}

// fails does an operation, or not, and reports whether the caller is told that it failed.
func fails(do func()) bool {
	const oneIn = 8
	switch rand.IntN(oneIn) {
	case 0:
		return true
	case 1:
		do()
		return true
	}
	do()
	return false
}

func (u unreliable) Change(ctx context.Context, t session.Target, d session.Decision) (s session.Snapshot, err error) {
	if fails(func() { s, err = u.Backend.Change(ctx, t, d) }) {
		return session.Snapshot{}, session.ErrUnavailable
	}
	return s, err
}

func (u unreliable) Mark(ctx context.Context, m session.MarkRequest) (marked session.Marked, err error) {
	if fails(func() { marked, err = u.Backend.Mark(ctx, m) }) {
		return session.Marked{}, session.ErrUnavailable
	}
	return marked, err
}

// What an unreliable store does to operations that it does not acknowledge is no fault.
func TestFaultsOfUnreliable(t *testing.T) {
	RunFaults(t, func(testing.TB) Instance { return instance{unreliable{newReference()}} }, 2, func(*testing.T) {})
}

// The check tells what may follow an operation that failed from what may not.
func TestKnowledge(t *testing.T) {
	const forever = 100
	at := func(call, end int64, do action, known knowledge, generation uint32) porcupine.Operation {
		return porcupine.Operation{
			Input: operation{action: do, known: known}, Output: standing{generation: generation}, Call: call, Return: end,
		}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"acknowledged and there":      {[]porcupine.Operation{at(0, 1, redeem, effective, 0), at(2, 3, read, effective, 1)}, true},
		"acknowledged and lost":       {[]porcupine.Operation{at(0, 1, redeem, effective, 0), at(2, 3, read, effective, 0)}, false},
		"attempted with effect":       {[]porcupine.Operation{at(0, forever, redeem, attempted, 0), at(2, 3, read, effective, 1)}, true},
		"attempted without effect":    {[]porcupine.Operation{at(0, forever, redeem, attempted, 0), at(2, 3, read, effective, 0)}, true},
		"attempted, effect later":     {[]porcupine.Operation{at(0, forever, redeem, attempted, 0), at(2, 3, read, effective, 0), at(4, 5, read, effective, 1)}, true},
		"attempted, effect twice":     {[]porcupine.Operation{at(0, forever, redeem, attempted, 0), at(2, 3, read, effective, 2)}, false},
		"attempted on another":        {[]porcupine.Operation{at(0, forever, redeem, attempted, 1), at(2, 3, read, effective, 1)}, false},
		"effect before the operation": {[]porcupine.Operation{at(0, 1, read, effective, 1), at(2, forever, redeem, attempted, 0)}, false},
		"effect undone": {
			[]porcupine.Operation{at(0, forever, redeem, attempted, 0), at(2, 3, read, effective, 1), at(4, 5, read, effective, 0)}, false,
		},
	} {
		if got := porcupine.CheckOperations(model(stepSession), c.history); got != c.want {
			t.Errorf("%s: linearizable %v, want %v", name, got, c.want)
		}
	}
}
