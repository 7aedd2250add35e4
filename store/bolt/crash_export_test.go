package bolt

// Crash lets go of the file as a process does that dies: without the last commit of
// [DB.Close].
func (db *DB) Crash() error {
	h := db.handle.Load()
	err := h.bolt.Close()
	db.handle.Store(nil)
	_ = db.Close()
	return err
}
