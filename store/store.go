// Package store composes what the domains ask of storage into one [Backend].
// The back ends live in folders below; storetest holds the conformance suite that
// each of them passes in full.
package store

import (
	"context"

	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// Backend is a store that the whole program runs on. It is safe for concurrent use.
type Backend interface {
	session.Store
	keys.Store
	Log
	Status

	// Close finishes the writes that have begun, refuses those that have not with
	// [session.ErrUnavailable], and releases the store. Closing again does nothing.
	Close() error
}

// Log reads the revocation log.
type Log interface {
	// Entries returns up to limit entries whose number is greater than after, in order
	// and without gaps, and the number of the oldest entry that is still kept (the next
	// one to be given, when none is). A reader for whom after+1 < first has missed
	// entries and takes a snapshot instead.
	Entries(ctx context.Context, after uint64, limit int) (entries []revocation.Entry, first uint64, err error)

	// Watch returns a channel that gets a value whenever entries may have been added,
	// after they are durable, until ctx ends. It never holds up the writer: additions
	// that nobody has looked for yet come as one value. The channel is never closed.
	Watch(ctx context.Context) <-chan struct{}
}

// Status is what the program asks of the store about itself.
type Status interface {
	// LastID is the greatest identifier that a session or a mark ever had, or zero.
	LastID() sid.ID
	// Live is the number of sessions without a recorded end.
	Live() int64
	// Healthy is nil while the store answers, and otherwise says why it does not.
	Healthy() error
}
