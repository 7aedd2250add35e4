package bolt

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
