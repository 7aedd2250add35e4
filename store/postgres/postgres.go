package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/session"
)

// DB is to implement store.Backend: Load, List, Change, Healthy, Live, Close (part A), Create, Mark, Sweep (part B),
// LoadKeys, SwapKeys, Head, Facts, Revocations, Watch, Record (part C).

// Config says how to open a store.
type Config struct {
	DSN          string // of the database; required
	ListenDSN    string // of a session that no pooler cuts, for LISTEN and migrations; "": DSN
	PasswordFile string // read again for each connection; "": the DSN has the password, or none is needed

	Notify       Notify        // "": NotifyListen
	PollInterval time.Duration // how often the journal is looked at with NotifyPoll; 0: 250 ms

	MaxConnections   int           // 0: 16
	StatementTimeout time.Duration // 0: 5 s
	// NoPreparedStatements is for poolers that give each transaction another connection.
	NoPreparedStatements bool
	// RequireSynchronous refuses a server that may lose what it has acknowledged.
	RequireSynchronous bool

	// FactsKeep is how long facts are kept for their readers. 0: one hour.
	FactsKeep time.Duration
	Logger    *slog.Logger // nil: slog.Default
	// Observe is called after each commit of a write; it must not block. nil: nothing is called.
	Observe func(callers int, took time.Duration)
}

// Notify says how an issuer learns of what others have written.
type Notify string

// The ways to learn of it.
const (
	NotifyListen Notify = "listen"
	NotifyPoll   Notify = "poll"
)

// pendingFact is a fact on its way into the journal; Number and Revocation are 0, Until is set for a revocation.
type pendingFact = fact.Fact

// reserve makes sure that the clock of this issuer is on record up to the latest of some times, before
// a write with them is acknowledged. (part B)
func (db *DB) reserve(ctx context.Context, times ...time.Time) error { panic("part B") }

// untilOfEnd is when verifiers may forget the end of a session; zero if they need not know. (part B)
func untilOfEnd(s session.Snapshot, at time.Time, n session.Notice) time.Time { panic("part B") }

// admit is what a session goes through before it counts as one of its user's, in a transaction that
// has locked the user's row. It returns the facts to write. (part B)
func (db *DB) admit(ctx context.Context, tx pgx.Tx, s session.Snapshot, a session.Admission, by string) (session.Eviction, []pendingFact, error) {
	panic("part B")
}

// lockUser locks the row of a user, which it makes if it is missing. (part B)
func lockUser(ctx context.Context, tx pgx.Tx, userID string) error { panic("part B") }
