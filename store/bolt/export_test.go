package bolt

import (
	"context"

	"issuer.example/fact"
	"issuer.example/session"
	"issuer.example/sid"
)

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
func (db *DB) Retired() int { return db.handle.Load().journal.Retired() }

// Hold keeps the committer busy until release is closed, and closes held once it does.
func (db *DB) Hold(held, release chan struct{}) error {
	return db.update(context.Background(), func(*tx) error {
		close(held)
		<-release
		return nil
	})
}

// Insert adds a session under the identifier that it has, as tests need that know it.
func (db *DB) Insert(ctx context.Context, sessions ...session.Session) error {
	return db.update(ctx, func(t *tx) error {
		for _, s := range sessions {
			st := session.State{LastSeenAt: s.CreatedAt}
			st.RedeemedAt = s.CreatedAt
			if _, err := t.insert(&s, &st, nil); err != nil {
				return err
			}
			t.later(func() error {
				t.addFact(fact.Fact{Kind: fact.Created, At: s.CreatedAt, SID: s.ID}, session.Notice{})
				return nil
			})
		}
		return nil
	})
}

// Read runs fn with a reader of one moment.
func (db *DB) Read(ctx context.Context, fn func(load func(sid.ID) (session.Snapshot, error)) error) error {
	return db.view(ctx, func(v *view) error {
		return fn(func(id sid.ID) (session.Snapshot, error) { return v.load(session.Ref{ID: id}) })
	})
}

// LastID is the newest identifier of the store.
func (db *DB) LastID() sid.ID { return db.published.Load().last }

// Path is where the data file is.
func (db *DB) Path() string { return db.cfg.Path }

// Committed has fn called between each commit and its acknowledgement, where a slow fsync
// of the header holds everyone up.
func (c Config) Committed(fn func()) Config {
	c.committed = fn
	return c
}

// RollBackStuck rolls back a batch when bbolt has been left locked, and reports whether that
// has ended the transaction. The store is of no use afterwards.
func (db *DB) RollBackStuck() (ended bool, err error) {
	h := db.handle.Load()
	b, err := h.begin()
	if err != nil {
		return false, err
	}
	h.gate.Lock()
	close(h.stuck)
	h.gate.Unlock()
	err = b.rollback()
	return b.tx.DB() == nil, err
}

// MaxAge is how old an operation may become before the store counts as unhealthy.
const MaxAge = maxAge

// Committing reports whether the committer is at work.
func (db *DB) Committing() bool { return db.committing.Load() != nil }
