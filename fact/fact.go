// Package fact defines the journal of facts: what has happened in the store, each fact
// written once, in the transaction of what it records, and numbered in commit order.
//
// The store is the only writer. Readers are cursors over the journal: the revocation feed
// reads the facts that verifiers must know of, metrics count what was created and ended.
// A refresh writes no fact.
//
// A [Fact] holds no secret and nothing of a token.
package fact

import (
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// Kind says what a [Fact] records.
type Kind uint8

// The kinds. Their numbers are stored; they never change.
const (
	Created      Kind = 1 // a session began
	Changed      Kind = 2 // the record of a live session changed
	Ended        Kind = 3 // a session ended, for whatever reason
	Marked       Kind = 4 // all sessions of a scope up to an identifier were revoked
	KeyChanged   Kind = 5 // a signing key went into another state
	Administered Kind = 6 // an administrator did something that is no other kind
)

// String is the kind's name, for logs and answers.
func (k Kind) String() string {
	switch k {
	case Created:
		return "created"
	case Changed:
		return "changed"
	case Ended:
		return "ended"
	case Marked:
		return "marked"
	case KeyChanged:
		return "key_changed"
	case Administered:
		return "administered"
	}
	return "unknown"
}

// Fact is one entry of the journal. Which fields it has depends on its kind.
type Fact struct {
	// Number is the fact's place in the journal, from 1, in commit order and without
	// gaps. The store gives it.
	Number uint64
	Kind   Kind
	// At is when it happened, by the clock of the issuer that did it; whole milliseconds.
	At time.Time
	// SID is the session of Created, Changed and Ended. Of Marked it is the newest
	// identifier that the mark covers.
	SID sid.ID
	// Scope is what a mark covers. Only Marked has it.
	Scope revocation.Scope
	// KeyID is the key of KeyChanged.
	KeyID string
	// What says more, in a stable word: the reason of Ended and Marked, the new state of
	// KeyChanged ("revoked" for a key that an administrator withdrew), the action of Changed
	// and Administered. At most 255 bytes.
	What string
	// By names the client (service key) that asked for it; "" where none did: the clock, a
	// policy, or the session's own user. At most 255 bytes.
	By string

	// Revocation is the number among the revocations, which verifiers follow: from 1, in
	// commit order and without gaps. It is 0 for a fact that verifiers need not know. The
	// store gives it.
	Revocation uint64
	// Until is when verifiers may forget a revocation; zero for other facts.
	Until time.Time
}

// Entry is the revocation that a fact is for verifiers; ok is false if it is none.
func (f *Fact) Entry() (entry revocation.Entry, ok bool) {
	if f.Revocation == 0 {
		return revocation.Entry{}, false
	}
	scope := f.Scope
	if f.Kind == Ended {
		scope = revocation.Scope{Kind: revocation.KindSession}
	}
	return revocation.Entry{
		Seq: f.Revocation, Scope: scope, SID: f.SID, At: f.At, Until: f.Until, Reason: f.What,
	}, true
}
