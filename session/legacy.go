package session

import (
	"context"
	"iter"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// Store keeps sessions, marks and the revocation log.
//
// Both methods return [ErrUnavailable] when the store cannot answer, whatever fn made
// of it, and the context's error when it ends before fn has run. An error from fn is
// returned as it is.
type legacyStore interface {
	// View runs fn on one consistent snapshot of what has been committed.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn in one transaction. Transactions are serialisable: each sees all
	// that was committed before it. When Update returns nil, what fn wrote is durable;
	// when fn returns an error, nothing that it wrote remains. fn may run more than
	// once, on another goroutine, so it must set its results afresh each time; it
	// must not block, and its writes must follow its reads: it does not see them.
	Update(ctx context.Context, fn func(Tx) error) error
}

// Reader reads within a transaction.
type Reader interface {
	// Session returns one session, live or ended. [ErrNotFound] if there is none.
	Session(id sid.ID) (Snapshot, error)

	// UserSession returns one session of a user, live or ended. [ErrNotFound] if there is
	// none, or if it is another user's: the two must take the same time, so that nobody
	// learns which sessions others have.
	UserSession(userID string, id sid.ID) (Snapshot, error)

	// UserSessions yields the sessions of a user, newest first: those without a recorded
	// end, or those with one.
	UserSessions(userID string, ended bool) iter.Seq2[Snapshot, error]

	// Mark returns the mark of a scope; ok is false if there is none.
	Mark(scope revocation.Scope) (mark revocation.Mark, ok bool, err error)
}

// Tx reads and writes within a transaction.
type Tx interface {
	Reader

	// Create adds a session, first [Due] at that time. Its id is greater than every other's.
	Create(s Session, st State, due time.Time) error
	// Amend replaces the record of a session; id, user and times of birth and end stay.
	Amend(s Session) error
	// SetState replaces the state of a session that has no recorded end.
	SetState(id sid.ID, st State) error
	// End records the end of a session. It does nothing if one is on record.
	End(id sid.ID, end End) error
	// Revoke appends an entry to the revocation log, which numbers it in commit order.
	// An entry that is a mark also becomes its scope's mark.
	Revoke(entry revocation.Entry) error

	Upkeep
}

// Upkeep is what the sweeper needs.
type Upkeep interface {
	// Due lists up to limit sessions that are to be looked at by then, oldest first.
	Due(by time.Time, limit int) ([]Due, error)
	// Defer makes a due session due again later.
	Defer(due Due, at time.Time) error
	// Purge removes a due session, its end and all that points to it.
	Purge(due Due) error
	// LiveAfter lists up to limit sessions without a recorded end, in order of id,
	// beginning after that id.
	LiveAfter(id sid.ID, limit int) ([]Snapshot, error)
	// UnsettledMarks lists up to limit marks that are not settled. It reads no others.
	UnsettledMarks(limit int) ([]revocation.Mark, error)
	// ExpiredMarks lists up to limit settled marks that verifiers may have forgotten by
	// then. It reads no others.
	ExpiredMarks(by time.Time, limit int) ([]revocation.Mark, error)
	// Settle records that every session under the mark has its own end. It does
	// nothing if the mark has been raised meanwhile.
	Settle(mark revocation.Mark) error
	// DropMark removes a mark, unless it has been raised meanwhile.
	DropMark(mark revocation.Mark) error
	// TrimLog removes up to limit of the oldest log entries that verifiers may have
	// forgotten by then, and returns how many it removed.
	TrimLog(by time.Time, limit int) (int, error)
}

// Due is a session that the sweeper is to look at.
type Due struct {
	At time.Time // whole milliseconds
	ID sid.ID
}
