package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/session"
	"issuer.example/sid"
)

const zeroID = `'00000000-0000-0000-0000-000000000000'::uuid`

const (
	// lockUserRow locks the row of a user until the transaction ends.
	lockUserRow = `INSERT INTO users (user_id, newest) VALUES ($1, ` + zeroID + `)
		ON CONFLICT (user_id) DO UPDATE SET newest = users.newest RETURNING newest`
	// raiseUser also locks the row when it has a greater identifier.
	raiseUser = `INSERT INTO users (user_id, newest) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET newest = EXCLUDED.newest WHERE users.newest < EXCLUDED.newest`

	// unendedAfterMark are the sessions of user $1 that have no end on record and are not under the user's mark.
	unendedAfterMark = `user_id = $1 AND ended_at IS NULL
		AND sid > coalesce((SELECT k.sid FROM marks k WHERE k.scope = 'u:' || $1::text), ` + zeroID + `)`
	selectUnended = `SELECT ` + columns + fromSessions + ` WHERE s.sid IN (
		SELECT sid FROM sessions WHERE ` + unendedAfterMark + ` AND sid < $2 ORDER BY sid DESC LIMIT $3
	) ORDER BY s.sid DESC`
	// lockUnended locks the newest of them, and those in $3.
	lockUnended = `SELECT sid FROM sessions WHERE sid = ANY(ARRAY(
		SELECT sid FROM sessions WHERE ` + unendedAfterMark + ` ORDER BY sid DESC LIMIT $2
	) || $3::uuid[]) ORDER BY sid FOR NO KEY UPDATE`
	lockUnendedVersions = `SELECT sid, version FROM sessions WHERE sid = ANY($1) AND ended_at IS NULL ORDER BY sid FOR NO KEY UPDATE`
)

// errBusyUser means that others who change the same user take too long.
var errBusyUser = fmt.Errorf("%w: postgres: other sign-ins or revocations of the user take too long", session.ErrUnavailable)

// oneOfUser waits until nobody else at this issuer has the row of a user. Those who wait for the row at the server have a
// connection each, and so a single user would keep all of them from the others.
func (db *DB) oneOfUser(ctx context.Context, userID string) (done func(), err error) {
	bounded, cancel := context.WithTimeout(ctx, db.cfg.StatementTimeout)
	defer cancel()
	done, err = db.users.lock(bounded, userID)
	if err != nil && ctx.Err() == nil {
		err = errBusyUser
	}
	return done, err
}

// inUserTx is inTx for a transaction that locks the row of a user.
func (db *DB) inUserTx(
	ctx context.Context, userID string, fn func(pgx.Tx) error, committed func(ctx context.Context) (bool, error),
) error {
	done, err := db.oneOfUser(ctx, userID)
	if err != nil {
		return err
	}
	defer done()
	return db.inTx(ctx, fn, committed)
}

// lockUser locks the row of a user, which it makes if it is missing.
func lockUser(ctx context.Context, tx pgx.Tx, userID string) error {
	_, err := tx.Exec(ctx, lockUserRow, userID)
	return err
}

// newestOf locks the row of a user, and returns the greatest identifier that the user's sessions and marks were given.
func newestOf(ctx context.Context, tx pgx.Tx, userID string) (sid.ID, error) {
	var newest pgtype.UUID
	err := tx.QueryRow(ctx, lockUserRow, userID).Scan(&newest)
	return newest.Bytes, err
}

// unended reads the next n sessions of a user, from the newest to the oldest, that are older than before and may be live.
func unended(ctx context.Context, q querier, userID string, before sid.ID, n int) ([]stored, error) {
	rows, err := q.Query(ctx, selectUnended, userID, pgtype.UUID{Bytes: before, Valid: true}, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []stored
	for rows.Next() {
		s, err := scanStored(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// lastID is greater than every identifier.
func lastID() (id sid.ID) {
	for i := range id {
		id[i] = 0xff
	}
	return id
}

// isLive reports whether a session is live.
func isLive(s session.Snapshot, judge session.Judge) bool {
	if judge == nil {
		return s.End.IsZero() && s.Mark.SID.IsZero()
	}
	return judge(s).End.IsZero()
}

// greatest is the newest of some identifiers.
func greatest(ids ...sid.ID) (newest sid.ID) {
	for _, id := range ids {
		if id.Compare(newest) > 0 {
			newest = id
		}
	}
	return newest
}

// scanIDs reads a column of identifiers.
func scanIDs(rows pgx.Rows, err error) ([]sid.ID, error) {
	if err != nil {
		return nil, err
	}
	var (
		ids []sid.ID
		id  pgtype.UUID
	)
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		ids = append(ids, id.Bytes)
		return nil
	})
	return ids, err
}

// lockVersions locks sessions, and returns the versions of those that have no end on record.
func lockVersions(ctx context.Context, tx pgx.Tx, ids []sid.ID) (map[sid.ID]int64, error) {
	return scanVersions(tx.Query(ctx, lockUnendedVersions, uuids(ids)))
}

// scanVersions reads a column of identifiers and one of versions.
func scanVersions(rows pgx.Rows, err error) (map[sid.ID]int64, error) {
	if err != nil {
		return nil, err
	}
	var (
		id       pgtype.UUID
		version  int64
		versions = make(map[sid.ID]int64)
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		versions[id.Bytes] = version
		return nil
	})
	return versions, err
}
