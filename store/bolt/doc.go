// Package bolt keeps sessions, revocations and keys in one bbolt file, for one issuer
// process. [Open] is the entry point; [Compact] shrinks a file that nobody has open.
//
// Writes of many callers share a commit: one goroutine drains a queue of transactions
// into one bbolt transaction, and each caller is answered after the fsync that covers
// its write. Times are kept in whole milliseconds, UTC.
//
// Callers must know: after a failed commit nothing is answered, reads included, until
// the file has been reopened, read through and written to; [DB.Healthy] says so
// meanwhile. A damaged, truncated, foreign or newer file is refused with an error that
// names it, and nothing is ever recreated in its place.
package bolt
