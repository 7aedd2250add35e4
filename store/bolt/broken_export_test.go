package bolt

// Break takes the file away from under the store: no call on it succeeds any more.
func (db *DB) Break() error { return db.handle.Load().file.Close() }

// Doubt makes the newest commit one that is not known to be durable yet, as it is while
// the fsync of its header lasts.
func (db *DB) Doubt() {
	w := db.handle.Load().durable
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest--
}

// Miscount makes the stored number of live sessions wrong.
func (db *DB) Miscount() error {
	h := db.handle.Load()
	h.counters.live++
	return h.probe()
}
