package postgres

// Healthy implements store.Status.
func (db *DB) Healthy() error {
	if db.life.Err() != nil {
		return errClosed
	}
	return nil
}
