package keys

import (
	"time"

	"issuer.example/jwt"
)

// Change is one key's step from state to state, which a [Store] gets with the document
// that contains it.
type Change struct {
	KeyID     string
	Algorithm jwt.Algorithm
	// From is the state before: empty for a key that was just made.
	From State
	// To is the state after. The first key, and one made in place of a revoked key,
	// is [Active] at once.
	To State
	// At is when the key reached the state.
	At time.Time
	// Revoked says that [Manager.Revoke] withdrew the key, when To is [Gone]. It is
	// false for a key that the schedule removed.
	Revoked bool
	// Reason is what the administrator gave for it. It may be empty.
	Reason string
	// By names who asked for the step; empty for a step of the schedule.
	By string
}

// Step is the change in one word: the state after it, or "revoked".
func (c Change) Step() string {
	if c.Revoked {
		return "revoked"
	}
	return string(c.To)
}

// changes returns the steps that the draft makes, the oldest key first. A key that the
// history no longer keeps is none.
func (d *draft) changes() []Change {
	var list []Change
	for i := range d.set.Keys {
		r := &d.set.Keys[i]
		var from State
		if before := d.base.find(r.ID); before != nil {
			from = before.State
		}
		if from == r.State {
			continue
		}
		list = append(list, Change{
			KeyID: r.ID, Algorithm: r.Algorithm, From: from, To: r.State, At: r.since(),
			Revoked: d.revoked == r.ID, Reason: r.Reason, By: d.by,
		})
	}
	return list
}

// since returns when the key reached the state that it has.
func (k *Key) since() time.Time {
	switch k.State {
	case Pending:
		return k.PublishedAt
	case Active:
		return k.ActivatedAt
	case Retiring:
		return k.RetiringAt
	default:
		return k.GoneAt
	}
}
