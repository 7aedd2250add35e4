package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
	"issuer.example/sid"
)

// selectSessions reads sessions with their marks.
const selectSessions = `SELECT ` + columns + fromSessions + ` WHERE s.sid = ANY($1)`

// readAttempts is how often a read is tried whose connection is lost.
const readAttempts = 2

// Load implements [session.Store].
func (db *DB) Load(ctx context.Context, ref session.Ref) (session.Snapshot, error) {
	s, err := db.read(ctx, ref.ID)
	if err != nil {
		return session.Snapshot{}, err
	}
	if ref.UserID != "" && ref.UserID != s.Session.User.ID {
		return session.Snapshot{}, session.ErrNotFound
	}
	return s.Snapshot, nil
}

// reading is a session that is to be read, and then it; nil if there is none.
type reading struct {
	id    sid.ID
	found *stored
}

// read reads a session together with what others read. [session.ErrNotFound] if there is none.
func (db *DB) read(ctx context.Context, id sid.ID) (*stored, error) {
	if err := db.enter(ctx); err != nil {
		return nil, err
	}
	r, _, err := db.reads.do(ctx, reading{id: id})
	switch {
	case err != nil:
		return nil, err
	case r.found == nil:
		db.recent.Remove(id)
		return nil, session.ErrNotFound
	}
	db.recent.Add(id, r.found)
	return r.found, nil
}

// readBatch reads sessions with one statement.
func (db *DB) readBatch(batch []*call[reading]) {
	ids := make([]sid.ID, len(batch))
	for i, c := range batch {
		ids[i] = c.request.id
	}
	found, err := db.readAll(context.Background(), ids)
	for _, c := range batch {
		c.request.found = found[c.request.id]
		c.finish(err)
	}
}

// readAll reads sessions on a connection of the pool, as far as there are any.
func (db *DB) readAll(ctx context.Context, ids []sid.ID) (found map[sid.ID]*stored, err error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		found, err = db.tryReadAll(ctx, ids)
		if err == nil || attempt == readAttempts || !isConnectionLost(err) && !isRetryable(err) && !isUnsent(err) {
			return found, db.failed(context.Background(), err)
		}
	}
}

func (db *DB) tryReadAll(ctx context.Context, ids []sid.ID) (map[sid.ID]*stored, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return selectAll(ctx, conn, ids)
}

// querier is a connection, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// selectAll reads sessions, as far as there are any.
func selectAll(ctx context.Context, q querier, ids []sid.ID) (map[sid.ID]*stored, error) {
	rows, err := q.Query(ctx, selectSessions, uuids(ids))
	if err != nil {
		return nil, err
	}
	return collect(rows, len(ids))
}

func collect(rows pgx.Rows, n int) (map[sid.ID]*stored, error) {
	defer rows.Close()
	found := make(map[sid.ID]*stored, n)
	for rows.Next() {
		s, err := scanStored(rows)
		if err != nil {
			return nil, err
		}
		found[s.Session.ID] = &s
	}
	return found, rows.Err()
}

// uuids are identifiers as an array.
func uuids(ids []sid.ID) [][16]byte {
	all := make([][16]byte, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
}
