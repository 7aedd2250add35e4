package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
)

// listSlack is how many sessions beyond its limit a page may cost to read: those that the query does not ask for.
const listSlack = 1024

var errNoLimit = errors.New("postgres: a query needs a limit")

// A list walks down an index over a bounded part of the sessions, and returns those that match. Nothing behind the page
// is read: the parts of UNION ALL run one after the other, and the walk goes on as far as they read. The last part is
// the row at which the walk was cut off, if it was, from which the next page goes on.
const (
	listHead = `WITH walked AS MATERIALIZED (SELECT * FROM sessions WHERE `
	listTail = ` AND sid < $1 ORDER BY sid DESC LIMIT $2)
SELECT ` + columns + `, s.cut FROM (
	SELECT w.*, false AS cut FROM walked w WHERE ended_at IS NULL = $3 AND ($4 = '' OR client_id = $4)
	UNION ALL
	SELECT w.*, true FROM (SELECT * FROM walked OFFSET $2 - 1) w
) s` + joinMark + ` LIMIT $5`

	listAll       = listHead + `true` + listTail
	listUserLive  = listHead + `user_id = $6 AND ended_at IS NULL` + listTail
	listUserEnded = listHead + `user_id = $6 AND ended_at IS NOT NULL` + listTail
)

// List implements [session.Store].
func (db *DB) List(ctx context.Context, q session.Query) (page session.Page, err error) {
	if q.Limit <= 0 {
		return page, errNoLimit
	}
	if err := db.enter(ctx); err != nil {
		return page, err
	}
	if !isText(q.UserID, q.ClientID) {
		return page, nil
	}
	for attempt := 1; ; attempt++ {
		page, err = db.tryList(ctx, q)
		if err == nil {
			return page, nil
		}
		if attempt == readAttempts || !isConnectionLost(err) && !isRetryable(err) && !isUnsent(err) {
			return session.Page{}, db.failed(ctx, err)
		}
	}
}

func (db *DB) tryList(ctx context.Context, q session.Query) (page session.Page, err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return page, err
	}
	defer conn.Release()
	work, cancel := db.bounded(ctx)
	defer cancel()
	statement, args := listQuery(q)
	rows, err := conn.Query(work, statement, args...)
	if err != nil {
		return page, err
	}
	return collectPage(rows, q.Limit)
}

// listQuery is the statement of a query, with its arguments.
func listQuery(q session.Query) (statement string, args []any) {
	before := q.Before
	if before.IsZero() {
		before = lastID()
	}
	args = []any{[16]byte(before), int64(q.Limit) + listSlack, !q.Ended, q.ClientID, int64(q.Limit) + 1}
	switch {
	case q.UserID == "":
		return listAll, args
	case q.Ended:
		return listUserEnded, append(args, q.UserID)
	}
	return listUserLive, append(args, q.UserID)
}

// collectPage reads a page: sessions, one more if there is another page, and the row at which the walk was cut off.
func collectPage(rows pgx.Rows, limit int) (page session.Page, err error) {
	defer rows.Close()
	for rows.Next() {
		s, cut, err := scanListed(rows)
		switch {
		case err != nil:
			return session.Page{}, err
		case len(page.Sessions) == limit:
			page.Next = page.Sessions[limit-1].Session.ID
		case cut:
			page.Next = s.Session.ID
		default:
			page.Sessions = append(page.Sessions, s.Snapshot)
		}
	}
	return page, rows.Err()
}

// scanListed reads a row of a list.
func scanListed(row pgx.Rows) (s stored, cut bool, err error) {
	var n nullable
	if err := row.Scan(append(s.targets(&n), &cut)...); err != nil {
		return stored{}, false, err
	}
	s.complete(&n)
	return s, cut, nil
}
