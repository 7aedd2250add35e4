package bolt

import (
	"errors"
	"fmt"
	"time"
)

// errCloseGrace is what Close gives up with.
var errCloseGrace = errors.New("bolt: the disk has not answered")

// Close implements [store.Backend]. If the disk does not answer within
// [Config.CloseGrace], it returns an error and lets go of the file once the disk does.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		close(db.closing)
		db.cancel()
		done := make(chan error, 1)
		go func() { done <- db.finish() }()
		grace := time.NewTimer(db.cfg.CloseGrace)
		defer grace.Stop()
		select {
		case db.closeErr = <-done:
		case <-grace.C:
			db.closeErr = fmt.Errorf("closing store %s: %w within %v", db.cfg.Path, errCloseGrace, db.cfg.CloseGrace)
			if h := db.retire(); h != nil {
				h.durable.abandon() // its readers stop waiting
			}
			close(db.gaveUp)
		}
	})
	return db.closeErr
}

// retire takes the store out of service for good, and returns what is to be closed.
func (db *DB) retire() *handle {
	db.mu.Lock()
	defer db.mu.Unlock()
	if h := db.handle.Swap(nil); h != nil {
		db.retired = h
	}
	db.failure = errors.New("closed")
	return db.retired
}

// finish waits for what has begun, and closes the file.
func (db *DB) finish() (err error) {
	<-db.stopped
	db.recovered.Wait()
	if h := db.retire(); h != nil {
		if h.failed.Load() {
			err = h.abandon()
		} else {
			err = h.close()
		}
		h.durable.abandon()
	}
	select {
	case h := <-db.broken: // it failed too late to be replaced
		err = h.abandon()
	default:
	}
	return err
}
