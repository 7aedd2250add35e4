package store

import (
	"context"
	"iter"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// Archive is all that a store holds, which nobody else writes to meanwhile.
type Archive interface {
	// Items returns the content: first the [Totals], then the keys, the marks by kind and name of
	// their scope, the facts by number and the sessions by identifier. Each call gives the same.
	// An error is the last that it gives.
	Items(ctx context.Context) iter.Seq2[Item, error]
}

// Target is a new store that is to be filled with the content of another. Nobody else can use
// it before it is complete.
type Target interface {
	Archive

	// Fill writes the items of an archive, in their order. It is called once.
	Fill(ctx context.Context, items iter.Seq2[Item, error]) error
}

// Item is one piece of an [Archive]: exactly one field is set.
type Item struct {
	Totals  *Totals
	Keys    *keys.Stored
	Mark    *Mark
	Fact    *fact.Fact
	Session *Session
}

// Totals say how much an [Archive] holds, and how far its counters are.
type Totals struct {
	Live, Ended int64 // sessions without and with a recorded end
	Marks       int64
	// Unreadable is how many damaged sessions are left out.
	Unreadable int64

	// Newest is not less than any identifier of a session or a mark that is on record. A store
	// that keeps the newest of all that it ever gave says that.
	Newest sid.ID
	// Latest is the latest time on record: see [session.Notice].
	Latest time.Time

	// The numbers of the journal: the newest ones that were given, and the oldest ones that are
	// kept, which are the next ones to be given when none is kept.
	Fact, FirstFact             uint64
	Revocation, FirstRevocation uint64
}

// Items is how many items follow the totals.
func (t *Totals) Items() int64 {
	return 1 + t.Marks + int64(t.Fact+1-t.FirstFact) + t.Live + t.Ended //nolint:gosec // a number that is counted
}

// IsEmpty reports whether a store with these totals and this set of keys was never used.
func (t *Totals) IsEmpty(set keys.Stored) bool {
	return t.Live+t.Ended+t.Unreadable+t.Marks == 0 && t.Fact == 0 && set.Version == 0
}

// Mark is a mark as it is stored.
type Mark struct {
	revocation.Mark

	Settled bool // every session under it has an end of its own on record
}

// Session is a session as it is stored. Its Mark is zero: marks are items of their own.
type Session struct {
	session.Snapshot

	DueAt time.Time // when upkeep is to look at it
}
