// Package revocation holds what is revoked: list entries, which name one session,
// and marks, which cover every session of a user, of a client, or of everyone, up
// to a session identifier.
//
// A mark compares identifiers, not clocks: "sign out everywhere" never catches the
// sign-in that follows it in the same second, and it is one write however many
// sessions it covers.
//
//	revoked(claims) = sid ∈ list ∨ sid ≤ mark[everything] ∨ sid ≤ mark[user] ∨ sid ≤ mark[client]
//
// Both are an [Entry] of the revocation log, which numbers them in commit order.
//
// Verifiers receive the log as signed messages: [Event], [Snapshot] and [Alive], in the
// frames that [AppendFrame] writes. docs/feed.md specifies them. Package list is what a
// verifier holds.
package revocation

import (
	"time"

	"issuer.example/sid"
)

// Kind says what an [Entry] covers.
type Kind uint8

// The kinds. Their numbers are stored; they never change.
const (
	KindSession    Kind = 1 // one session: a list entry
	KindUser       Kind = 2 // a mark over one user's sessions
	KindClient     Kind = 3 // a mark over the sessions that one client (service key) minted
	KindEverything Kind = 4 // a mark over all sessions
)

// String is the kind's name as it appears in answers and events.
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

// Scope is what a mark covers: a kind and, for a user or a client, its name.
// It is comparable and serves as a map key.
type Scope struct {
	Kind Kind
	Name string // user id or client id; empty for [KindEverything]
}

// UserScope is the scope of a mark over one user's sessions.
func UserScope(userID string) Scope { return Scope{Kind: KindUser, Name: userID} }

// ClientScope is the scope of a mark over the sessions that one client minted.
func ClientScope(clientID string) Scope { return Scope{Kind: KindClient, Name: clientID} }

// EverythingScope is the scope of a mark over all sessions.
func EverythingScope() Scope { return Scope{Kind: KindEverything} }

// ScopesOf lists the marks that could cover a session of that user and client.
func ScopesOf(userID, clientID string) [3]Scope {
	return [3]Scope{EverythingScope(), UserScope(userID), ClientScope(clientID)}
}

// Entry is one revocation.
type Entry struct {
	// Seq is its number in the log, in commit order, from 1. The store gives it.
	Seq uint64
	// Scope is what a mark covers. A list entry has Kind [KindSession] and no name.
	Scope Scope
	// SID is the session of a list entry, or the newest identifier that a mark covers.
	SID sid.ID
	// At is when it was revoked.
	At time.Time
	// Until is when verifiers may forget it: the last access token that it covers has
	// expired by then.
	Until time.Time
	// Reason says why, as a stable word such as "sign_out".
	Reason string
}

// Mark is the newest entry of a mark's scope, as the store keeps it until the last
// session under it has been ended one by one.
type Mark struct {
	Scope  Scope
	SID    sid.ID // sessions at or below it are revoked
	At     time.Time
	Until  time.Time // verifiers may forget it from then on; the store may not before
	Reason string
	// Settled says that every session under the mark has its own end on record.
	Settled bool
}

// Covers reports whether the mark revokes that session of its scope.
func (m Mark) Covers(id sid.ID) bool { return id.Compare(m.SID) <= 0 }
