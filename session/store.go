package session

import (
	"context"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// Store keeps sessions and marks, and writes the journal of facts.
//
// A method returns nil once all that it has read and written is durable. An error leaves
// the store unchanged, with one exception: [ErrUnavailable] means that the store cannot
// answer, or that the context ended after the write had begun, and says nothing about
// whether the write happened. A context that ends before that gives its own error.
//
// Methods are serialisable among each other, also across several issuers that share the
// store and whose clocks differ. The store gives the identifiers: it alone knows what is
// committed. Every function that it is given must be pure: it may run more than once, on
// another goroutine, and must neither block nor use the store. If it keeps results, it must
// set them afresh each time.
//
// What it is given to keep is valid UTF-8 without the character NUL, which the checks of the
// requests guarantee. A [Ref] or [Query] may have any text; what cannot be stored matches
// nothing.
//
// The store writes the facts of what it does (created, ended, marked) in the same
// transaction.
type Store interface {
	// Load returns one session, live or ended. [ErrNotFound] if there is none.
	Load(ctx context.Context, ref Ref) (Snapshot, error)

	// List returns sessions, newest first. A record that cannot be read is left out and
	// counted in the page.
	List(ctx context.Context, q Query) (Page, error)

	// Create adds a session under a new identifier, which is greater than every mark that
	// could cover it and than those of all sessions of the same user that were created
	// before. The limit holds exactly, however many sign-ins of the user run at once, at
	// whichever issuer. [ErrLimit] if it refuses the session.
	Create(ctx context.Context, c CreateRequest) (Created, error)

	// Change reads a session, with its marks, and writes what decide returns, as if nobody
	// else wrote in between. It returns the session as it is afterwards. [ErrNotFound] if
	// there is no such session; an error of decide is returned as it is. A change of the
	// state, or an end, of a session whose end is on record does nothing.
	Change(ctx context.Context, at Target, decide Decision) (Snapshot, error)

	// Mark revokes every session of a scope that was acknowledged before, with one mark.
	// Unless the mark spares its holder, its bound is the store's newest identifier, or a new
	// one, at the moment of the commit: a session that is created afterwards is not covered. A
	// mark only ever rises. It is written whatever the number of sessions under it is.
	Mark(ctx context.Context, m MarkRequest) (Marked, error)

	// Sweep does a bounded part of the store's upkeep: it records the ends of sessions that
	// are over by the clock or under a mark, forgets what is old, and trims marks and
	// journal. More says that there is more to do now. One Sweep at a time runs in a
	// process; several processes may sweep one store.
	Sweep(ctx context.Context, s SweepRequest) (Swept, error)
}

// Ref names a session.
type Ref struct {
	ID sid.ID
	// UserID, if not "", must be the session's user: another user's session is
	// [ErrNotFound] then, in the same time as one that does not exist, so that nobody
	// learns which sessions others have.
	UserID string
}

// Query asks for sessions.
type Query struct {
	UserID   string // "": of all users
	ClientID string // "": of all clients
	// Ended asks for sessions with a recorded end instead of those without. A session
	// without a recorded end can be over all the same: see [Snapshot].
	Ended bool
	// Before asks for sessions older than that one: the cursor of the page before. Zero:
	// from the newest.
	Before sid.ID
	// Limit is how many sessions a page has at most; required.
	Limit int
}

// Page is an answer to a [Query].
type Page struct {
	Sessions   []Snapshot // newest first
	Unreadable int        // records that were left out because they are damaged
	// Next is the cursor of the page that follows; zero if this is the last one. A page
	// that has a Next can hold fewer sessions than the limit, even none.
	Next sid.ID
}

// CreateRequest asks for a session.
type CreateRequest struct {
	Session Session // its ID is ignored
	State   State
	Admission
	By string // the client that asks for it
}

// Created is what [Store.Create] has done.
type Created struct {
	Session Snapshot
	// Evicted are the sessions that the limit has ended one by one, with their ends.
	Evicted []Snapshot
	// EvictedUpTo, if not zero, is the bound of a mark over the user with which the limit has
	// ended all sessions up to that one.
	EvictedUpTo sid.ID
}

// Target is what [Store.Change] changes.
type Target struct {
	Ref
	// Holder, if not zero, is the session on whose behalf the change is made. It is read in
	// the same transaction. [ErrNotFound] if it is not there.
	Holder sid.ID
}

// Decision decides what becomes of a session. holder is the zero Snapshot unless the
// [Target] names one. It is pure: see [Store].
type Decision func(session, holder Snapshot) (Change, error)

// Change is what is written to a session. The zero Change writes nothing.
type Change struct {
	Session *Session // replaces the record; ID, user, and times of beginning and end stay
	State   *State   // replaces the state
	End     *Ending  // ends the session
	// Admission, if not nil, is gone through as by a new session: [ErrLimit] if the limit
	// refuses it.
	Admission *Admission
	Facts     []fact.Fact // further facts, of kind Changed or Administered
}

// Ending ends a session before its time.
type Ending struct {
	End
	By     string // the client that asked for it, or ""
	Notice Notice
}

// Notice says for how long verifiers must know of a revocation: until all tokens have
// expired that it covers. The store keeps it for Life after the latest of Issued and the
// times of sign-in, use and authentication of the sessions that it covers, because an issuer
// whose clock was ahead may have dated tokens with them. A mark also goes by what other
// issuers have reported in [SweepRequest]. The store may keep a revocation for longer: at
// most for Life after one minute after the latest of all times that it was given. The zero
// Notice says that verifiers need not know.
type Notice struct {
	Issued time.Time     // the latest date of a token, as far as this issuer knows
	Life   time.Duration // lifetime of access tokens plus the leeway of verifiers
}

// MarkRequest asks for a mark.
type MarkRequest struct {
	Scope  revocation.Scope
	At     time.Time
	Reason Reason
	By     string // the client that asked for it, or ""
	Notice Notice
	// Judge says which sessions are live: those of a user are counted.
	Judge Judge

	// Holder, if not zero, is the session on whose behalf the mark is made; Allow judges it
	// in the same transaction and refuses the mark with an error. [ErrNotFound] if it is not
	// there.
	Holder sid.ID
	Allow  func(holder Snapshot) error
	// SpareHolder leaves the holder's session alive: the mark then covers the user's
	// sessions that are older, and those that are newer end one by one.
	SpareHolder bool
}

// Marked is what [Store.Mark] has done.
type Marked struct {
	Mark revocation.Mark
	// Ended is how many live sessions of the user it has ended. Sessions of wider scopes
	// are not counted: 0.
	Ended int
	// Unreadable is how many of the user's sessions could not be read, and so not be
	// counted. They are revoked too.
	Unreadable int
}

// Judge is the verdict on a snapshot at one moment. It is pure: see [Store].
type Judge func(Snapshot) Verdict

// Verdict says whether a session is live.
type Verdict struct {
	End End // zero while the session is live
	// Again is when there may be something to do: for a live session its idle end, for an
	// ended one when it is to be forgotten.
	Again time.Time
}

// SweepRequest is what upkeep needs to know.
type SweepRequest struct {
	Now   time.Time
	Judge Judge
	// Issued is the latest date of a token that this issuer knows of; see [Notice].
	Issued time.Time
}

// Swept is what a [Store.Sweep] has done.
type Swept struct {
	Ended      int  // sessions whose end is on record now
	Forgotten  int  // ended sessions that were removed
	Unreadable int  // records that could not be read and will be tried again later
	More       bool // there is more to do at once
}
