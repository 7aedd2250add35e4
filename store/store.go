// Package store composes what the domains ask of storage into one [Backend].
// The back ends live in folders below; storetest holds the conformance suite that
// each of them passes in full.
package store

import (
	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/session"
)

// Backend is a store that the whole program runs on. It is safe for concurrent use.
type Backend interface {
	session.Store
	keys.Store
	fact.Log
	fact.Recorder
	Status

	// Close finishes the writes that have begun, refuses those that have not with
	// [session.ErrUnavailable], and releases the store. It gives up, with an error, when
	// that takes longer than the back end's grace. Closing again returns the same.
	Close() error
}

// Status is what the program asks of the store about itself.
type Status interface {
	// Live is the number of sessions without a recorded end. A store that would have to read
	// many to count them may return an estimate then, and the last number while it cannot
	// answer.
	Live() int64
	// Healthy is nil while the store answers, and otherwise says why it does not. A store
	// in which an operation has been under way for too long, or that has had no room for a
	// write lately, is not healthy.
	Healthy() error
}
