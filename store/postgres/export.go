package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/sid"
	"issuer.example/store"
)

// Export calls fn with the content of a database. Nobody can write to its tables until fn returns.
// It is [ErrInUse] if issuers are connected, unless stopped says that they are not: connections that
// a pooler keeps look the same.
func Export(ctx context.Context, cfg Config, stopped bool, fn func(store.Archive) error) error {
	return exclusively(ctx, cfg, pgx.RepeatableRead, func(tx pgx.Tx) error {
		if err := refuseIssuers(ctx, tx, stopped); err != nil {
			return err
		}
		return fn(&archive{tx: tx})
	}, nil)
}

const (
	// leaveTimeout is how long connections may take to end on the server after they were closed.
	leaveTimeout = 3 * time.Second
	leaveRetry   = 50 * time.Millisecond
)

// refuseIssuers looks for connections of issuers, by their application_name.
func refuseIssuers(ctx context.Context, tx pgx.Tx, stopped bool) error {
	if stopped {
		return nil
	}
	name := tx.Conn().Config().RuntimeParams["application_name"]
	retry, giveUp := time.NewTicker(leaveRetry), time.NewTimer(leaveTimeout)
	defer retry.Stop()
	defer giveUp.Stop()
	for {
		n, err := countConnections(ctx, tx, name)
		if err != nil || n == 0 {
			return explainCheck(err)
		}
		select {
		case <-retry.C:
		case <-giveUp.C:
			return fmt.Errorf("%w: %d connections to it are called %q", ErrInUse, n, name)
		}
	}
}

// countConnections counts the other connections of that name as they are now, not as the transaction has seen them first.
func countConnections(ctx context.Context, tx pgx.Tx, name string) (n int, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_stat_clear_snapshot()`); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, countIssuers, name).Scan(&n)
	return n, err
}

// The statements that read everything. They read whole tables, unlike those that issuers use.
const (
	countIssuers = `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = $1`

	exportTotals = `
SELECT s.live, s.ended, (SELECT count(*) FROM marks), (` + exportNewest + `),
	greatest(s.latest, (SELECT max(latest) FROM issuer_clocks)),
	h.number + p.facts, h.first_number, h.revocation + p.revocations, h.first_revocation
FROM log_head h, (SELECT count(*) AS facts, count(until) AS revocations FROM pending_facts) p, (
	SELECT count(*) FILTER (WHERE ended_at IS NULL) AS live, count(*) FILTER (WHERE ended_at IS NOT NULL) AS ended,
		greatest(max(created_at), max(auth_time), max(redeemed_at), max(last_seen_at)) AS latest
	FROM sessions
) s`

	exportNewest = `SELECT sid FROM (
		(SELECT sid FROM sessions ORDER BY sid DESC LIMIT 1) UNION ALL
		(SELECT sid FROM marks ORDER BY sid DESC LIMIT 1) UNION ALL
		(SELECT newest FROM users ORDER BY newest DESC LIMIT 1) UNION ALL
		(SELECT sid FROM facts WHERE sid IS NOT NULL ORDER BY sid DESC LIMIT 1) UNION ALL
		(SELECT sid FROM pending_facts WHERE sid IS NOT NULL ORDER BY sid DESC LIMIT 1)
	) n ORDER BY sid DESC LIMIT 1`

	exportMarks = `SELECT scope, sid, marked_at, until, reason, settled FROM marks
		ORDER BY position(left(scope, 1) IN 'uce'), scope COLLATE "C"`

	// exportFacts gives the facts that have no number yet those that they are about to get.
	exportFacts = `
SELECT ` + factColumns + ` FROM (
	SELECT number, revocation, kind, at, sid, scope, key_id, what, by_client, until FROM facts
	UNION ALL
	SELECT h.number + row_number() OVER place, CASE WHEN p.until IS NOT NULL THEN h.revocation + count(p.until) OVER place END,
		p.kind, p.at, p.sid, p.scope, p.key_id, p.what, p.by_client, p.until
	FROM pending_facts p CROSS JOIN log_head h
	WINDOW place AS (ORDER BY p.written_at, p.id)
) f ORDER BY f.number`

	exportSessions = `SELECT ` + columns + ` FROM sessions s LEFT JOIN marks m ON false ORDER BY s.sid`
)

// archive reads everything in one transaction.
type archive struct {
	tx pgx.Tx
}

// Items implements [store.Archive].
func (a *archive) Items(ctx context.Context) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		more := true
		give := func(i store.Item) bool {
			more = yield(i, nil)
			return more
		}
		for _, part := range []func(context.Context, func(store.Item) bool) error{
			a.totals, a.keys, a.marks, a.facts, a.sessions,
		} {
			if err := part(ctx, give); err != nil {
				yield(store.Item{}, wrap(err))
				return
			}
			if !more {
				return
			}
		}
	}
}

func (a *archive) totals(ctx context.Context, give func(store.Item) bool) error {
	var (
		t      store.Totals
		newest pgtype.UUID
		latest pgtype.Timestamptz
	)
	err := a.tx.QueryRow(ctx, exportTotals).Scan(&t.Live, &t.Ended, &t.Marks, &newest, &latest,
		&t.Fact, &t.FirstFact, &t.Revocation, &t.FirstRevocation)
	if err != nil {
		return err
	}
	t.Newest, t.Latest = sid.ID(newest.Bytes), timeOf(latest)
	give(store.Item{Totals: &t})
	return nil
}

func (a *archive) keys(ctx context.Context, give func(store.Item) bool) error {
	var set keys.Stored
	err := eachRow(ctx, a.tx, loadKeys, func(row pgx.Rows) (bool, error) {
		return true, row.Scan(&set.Version, &set.Document)
	})
	if err == nil {
		give(store.Item{Keys: &set})
	}
	return err
}

func (a *archive) marks(ctx context.Context, give func(store.Item) bool) error {
	return eachRow(ctx, a.tx, exportMarks, func(row pgx.Rows) (bool, error) {
		var (
			scope     string
			id        pgtype.UUID
			at, until time.Time
			m         store.Mark
		)
		if err := row.Scan(&scope, &id, &at, &until, &m.Reason, &m.Settled); err != nil {
			return false, err
		}
		m.Mark = revocation.Mark{Scope: parseScope(scope), SID: sid.ID(id.Bytes), At: at.UTC(), Until: until.UTC(), Reason: m.Reason}
		return give(store.Item{Mark: &m}), nil
	})
}

func (a *archive) facts(ctx context.Context, give func(store.Item) bool) error {
	return eachRow(ctx, a.tx, exportFacts, func(row pgx.Rows) (bool, error) {
		var r factRow
		if err := row.Scan(r.targets()...); err != nil {
			return false, err
		}
		f := r.fact()
		return give(store.Item{Fact: &f}), nil
	})
}

func (a *archive) sessions(ctx context.Context, give func(store.Item) bool) error {
	return eachRow(ctx, a.tx, exportSessions, func(row pgx.Rows) (bool, error) {
		s, err := scanStored(row)
		if err != nil {
			return false, err
		}
		return give(store.Item{Session: &store.Session{Snapshot: s.Snapshot, DueAt: s.dueAt}}), nil
	})
}

// eachRow calls fn with the rows of a query, as they come, until it returns false.
func eachRow(ctx context.Context, tx pgx.Tx, query string, fn func(pgx.Rows) (more bool, err error)) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := fn(rows); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}
