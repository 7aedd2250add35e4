package bolt

import "go.etcd.io/bbolt"

// KnowsLocks reports whether the locks of bbolt are found.
func (db *DB) KnowsLocks() bool {
	_, ok := findLocks(db.handle.Load().bolt)
	return ok
}

// ForgetLocks makes the locks of bbolt unknown, as those of another version would be, until
// the function that it returns is called.
func ForgetLocks() (remember func()) {
	known := findLocks
	findLocks = func(*bbolt.DB) (locks, bool) { return locks{}, false }
	return func() { findLocks = known }
}

// Small makes the journal so short that every few commits fold some of it.
func (c Config) Small() Config {
	c.journal = 40
	return c
}

// Crash lets go of the file as a process does that dies: without the last commit of
// [DB.Close].
func (db *DB) Crash() error {
	close(db.closing)
	db.cancel()
	<-db.stopped
	db.recovered.Wait()
	h := db.handle.Swap(nil)
	db.closeOnce.Do(func() {})
	return h.abandon()
}

// Waiting is how many callers wait for their turn.
func (db *DB) Waiting() int { return len(db.queue) }

// Closing reports whether Close has begun.
func (db *DB) Closing() bool {
	select {
	case <-db.closing:
		return true
	default:
		return false
	}
}

// Retired is how many folded journals are kept in memory for readers.
func (db *DB) Retired() int {
	o := &db.handle.Load().journal.overlay
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.retired)
}
