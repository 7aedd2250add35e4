// Package postgres is the store that many issuers share: a PostgreSQL database (15 or later), or
// what has its protocol. [Open] is the entry point; [Migrate] makes the tables, [Check] looks
// whether a database can be used, [Export] and [Import] move a store.
//
//	callers     Load      Change        Create, Mark, Sweep        Facts, Revocations, Head
//	             |          |                    |                            |
//	          reads       swaps          transactions that          numbering of what is
//	        (batches)   (batches)     begin with a user's row        committed and has no number
//	             |          |                    |                            |
//	             '----------+----- pool ---------+----------------------------'
//	                                 |
//	tables      sessions   users   marks   pending_facts --> facts, log_head   key_set ...
//	                                 |
//	beside      monitor: can it be used?      listener: are there new facts?
//
// # Connections
//
// config.go, dsn.go, connect.go and dial.go say how connections are made: with which parameters and
// time limits, and to which of several hosts. check.go, schema.go and pooler.go refuse what cannot
// work, and explain.go says why in a sentence without secrets. monitor.go asks once a second, on
// a connection of its own, whether the database can be used; health.go refuses operations while it
// can not, and ends those that are under way. errors.go sorts the errors: those of others'
// transactions are retried, those of the connection leave an unknown outcome, and what says that
// the server cannot answer is [session.ErrUnavailable].
//
// # Sessions
//
// rows.go is the row of a session; load.go and list.go read it. A change (change.go, plan.go) is
// decided on the session as this issuer has seen it last, and is a compare-and-set of the version that
// each write gives to its row (swap.go; docs/adr/0022): of states, whose columns are in no index
// (swapstates.go), or of whole sessions with their facts (swapsessions.go). lanes.go makes batches:
// while one is under way, requests queue for the next. sidlocks.go keeps this issuer from racing with
// itself. What loses the race too often, or depends on other rows, locks them (changetx.go).
//
// create.go signs in with one round trip, which sign-ins share (creation.go); createtx.go does it in a transaction if sessions have to end
// for it (admit.go). Both lock the row of the user first (user.go), and so do marks over a user
// (markuser.go). mark.go sets the others. Rows of sessions are locked in the order of their
// identifiers, after the row of the user and before the clocks. A deadlock that is left is retried (tx.go).
//
// sweep.go and settle.go record what is over, and remove what is old, in bounded batches; several issuers
// sweep at once.
//
// # Lost connections
//
// If the connection is lost during a commit, the outcome is looked up, by a write (confirm.go): it waits for
// what is still under way, and as it commits itself, what it has seen is replicated when it returns. Each attempt
// has a version, an identifier or a random number of its own by which it is known again.
//
// # Journal
//
// Facts are inserted without a number by the transaction that they belong to (factrow.go). numbering.go
// gives the numbers afterwards, in the order of the commits, under the lock of one row; factlog.go reads, trim.go removes.
// journal.go, listen.go and watch.go tell the readers of new facts.
//
// # Clocks
//
// How long verifiers need a revocation depends on the latest token that it concerns, which another issuer may have
// dated. Each issuer keeps on record up to when its tokens may be dated, a minute ahead (clocks.go).
package postgres
