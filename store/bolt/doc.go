// Package bolt keeps sessions, revocations and keys in one bbolt file, for one issuer
// process. [Open] is the entry point; [Compact] shrinks a file that nobody has open.
//
//	callers          Load, List             Create, Change, Mark, Sweep, SwapKeys, Record
//	                     |                                     |
//	                     |                                   queue
//	                     v                                     v
//	                   view ----------.              committer: one batch for all who wait
//	                     |            |                        |
//	rows                 |            |           records, indices, marks, facts, counters
//	                     v            |                        |
//	journal        snapshot of     overlay <--- states of refreshes, folded little by little
//	                  bbolt           ^                        |
//	                     |            |                        v
//	                     |            '------------- one bbolt transaction
//	                     v                                     |
//	file        [ header | header | pages ...  ] <--- fdatasync, header, fdatasync
//	                                                           |
//	                durable: views and callers are answered <--'
//
// # File
//
// internal/file opens and locks the file, makes new ones, and checks what bbolt does not
// check: the headers, the list of free pages and, where bbolt is about to walk it, every page
// (docs/adr/0015). A file that is damaged, truncated, of another program or of a newer schema
// is refused with an error that names it, and never replaced by a new one. A file of an older
// schema is upgraded when it is opened (upgrade.go). A clean [DB.Close] leaves the list of free pages
// in the file; after a crash Open has to search for them.
//
// # Commit
//
// One goroutine, the committer, drains a queue of operations into one bbolt transaction (a
// batch). Each operation first reads and decides, and only then writes; one that fails has
// written nothing, and its neighbours go on. All are answered after the fsync that covers
// them. A reader can see a commit before it is durable, and then waits for it. Both wait no
// longer than their context: one that ends after the operation has been run is
// [session.ErrUnavailable], because nobody knows what became of it. [DB.Healthy] judges the
// age of the oldest operation.
//
// # Journal
//
// A refresh changes the state of one session: 44 bytes somewhere in the file. internal/journal
// appends the states of a commit to a bucket and keeps them in memory beside the snapshots of
// bbolt; it puts them where they belong later, many to a page.
//
// # Rows
//
// schema.go lists the buckets; sessions, states, ends, marks and facts have a file each that
// says how they are encoded, and places.go what of a state is in the record. Times are kept in whole milliseconds, UTC. The facts of one
// commit share a key; the revocations among them are numbered by an index (docs/adr/0012). A
// record that cannot be read is an error for a caller that asks for it by its id. Operations
// on many (lists, limits, marks, sweeps) leave it out, count it and log it.
//
// # After a failure
//
// When a read or a commit fails, nothing is answered any more, reads included, until the file
// has been opened again: the system's cache is dropped, the whole file is read from the disk,
// the headers are written once more, and a commit succeeds (recover.go). A file that has lost
// commits which were acknowledged stays out of service.
package bolt
