// Package revocation defines what a revocation is, and the messages by which verifiers learn
// of it.
//
// A revocation is an [Entry] of the revocation log, which numbers entries in commit order. A
// list entry revokes one session. A mark revokes all sessions of a user, of a client, or of
// the issuer, up to a session identifier:
//
//	revoked(claims) = sid ∈ list ∨ sid ≤ mark[everything] ∨ sid ≤ mark[user] ∨ sid ≤ mark[client]
//
// A mark is one write however many sessions it covers. It compares identifiers instead of
// times, so "sign out everywhere" does not revoke a sign-in that follows within the same
// millisecond.
//
// Verifiers receive the log as signed messages: [Event], [Snapshot] and [Alive], in the
// frames that [AppendFrame] writes. docs/feed.md specifies them. Package list is what a
// verifier holds.
package revocation

import (
	"time"

	"issuer.example/sid"
)

// Kind is the kind of an [Entry].
type Kind uint8

// The kinds. Their numbers are stored and must not change.
const (
	KindSession    Kind = 1 // one session: a list entry
	KindUser       Kind = 2 // a mark over one user's sessions
	KindClient     Kind = 3 // a mark over the sessions that one client (service key) minted
	KindEverything Kind = 4 // a mark over all sessions
)

// String returns the name of the kind, as in answers and events.
func (k Kind) String() string {
	switch k {
	case KindSession:
		return "session"
	case KindUser:
		return "user"
	case KindClient:
		return "client"
	case KindEverything:
		return "everything"
	}
	return "unknown"
}

// Scope is what a mark covers. It is comparable, so it can be the key of a map.
type Scope struct {
	Kind Kind
	// Name is the id of the user or of the client. It is empty for [KindSession] and
	// [KindEverything].
	Name string
}

// UserScope returns the scope of a mark over one user's sessions.
func UserScope(userID string) Scope { return Scope{Kind: KindUser, Name: userID} }

// ClientScope returns the scope of a mark over the sessions that one client minted.
func ClientScope(clientID string) Scope { return Scope{Kind: KindClient, Name: clientID} }

// EverythingScope returns the scope of a mark over all sessions.
func EverythingScope() Scope { return Scope{Kind: KindEverything} }

// ScopesOf returns the scopes of the marks that can cover a session of that user and client.
func ScopesOf(userID, clientID string) [3]Scope {
	return [3]Scope{EverythingScope(), UserScope(userID), ClientScope(clientID)}
}

// Entry is one revocation.
type Entry struct {
	// Seq is the number of the entry in the log, in commit order, from 1. The store
	// assigns it.
	Seq uint64
	// Scope is what a mark covers. That of a list entry has Kind [KindSession] and no
	// name.
	Scope Scope
	// SID is the session of a list entry, or the newest identifier that a mark covers.
	SID sid.ID
	// At is the time of the revocation.
	At time.Time
	// Until is the time from which on verifiers may drop the entry: the last access token
	// that it covers has expired by then.
	Until time.Time
	// Reason is one word for why, such as "sign_out". The words do not change.
	Reason string
}

// Mark is the newest entry of a scope, which the store keeps until every session under it
// has ended.
type Mark struct {
	Scope  Scope
	SID    sid.ID    // sessions at or below it are revoked
	At     time.Time // of the revocation
	Until  time.Time // verifiers may drop it from then on, and the store must not before
	Reason string
}

// Covers reports whether the mark revokes a session of its scope.
func (m Mark) Covers(id sid.ID) bool { return id.Compare(m.SID) <= 0 }
