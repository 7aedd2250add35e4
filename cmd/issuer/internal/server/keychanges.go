package server

import (
	"issuer.example/fact"
	"issuer.example/keys"
)

// keyChanges wakes the schedule of the signing keys when the journal says that they have changed, at
// whichever issuer: one that was revoked must not sign or verify until the next step.
type keyChanges struct{ keys *keys.Manager }

var _ fact.Consumer = keyChanges{}

// TakeFact wakes the schedule for a change of the keys.
func (k keyChanges) TakeFact(f *fact.Fact) {
	if f.Kind == fact.KeyChanged {
		k.keys.Wake()
	}
}

// MissFacts wakes the schedule: a change of the keys may be among them.
func (k keyChanges) MissFacts(uint64) { k.keys.Wake() }
