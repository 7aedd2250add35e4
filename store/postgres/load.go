package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
	"issuer.example/sid"
)

// selectSessions reads sessions with their marks.
const selectSessions = `SELECT ` + columns + fromSessions + ` WHERE s.sid = ANY($1)`

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

// read reads a session. [session.ErrNotFound] if there is none.
func (db *DB) read(ctx context.Context, id sid.ID) (stored, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return stored{}, err
	}
	defer conn.Release()
	work, cancel := db.bounded(ctx)
	defer cancel()
	found, err := readAll(work, conn, []sid.ID{id})
	if err != nil {
		return stored{}, db.failed(ctx, err)
	}
	s, ok := found[id]
	if !ok {
		return stored{}, session.ErrNotFound
	}
	return s, nil
}

// querier is a connection, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// readAll reads sessions, as far as there are any.
func readAll(ctx context.Context, q querier, ids []sid.ID) (map[sid.ID]stored, error) {
	rows, err := q.Query(ctx, selectSessions, uuids(ids))
	if err != nil {
		return nil, err
	}
	return collect(rows, len(ids))
}

func collect(rows pgx.Rows, n int) (map[sid.ID]stored, error) {
	defer rows.Close()
	found := make(map[sid.ID]stored, n)
	for rows.Next() {
		s, err := scanStored(rows)
		if err != nil {
			return nil, err
		}
		found[s.Session.ID] = s
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
