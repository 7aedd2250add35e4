package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/fact"
	"issuer.example/revocation"
)

var (
	_ fact.Log      = (*DB)(nil)
	_ fact.Recorder = (*DB)(nil)
)

// The readers' statements. pending tells, in the same snapshot as the rest, whether there are
// facts without a number: the answer is complete if there are none.
const (
	readHead = `SELECT ` + pending + `, h.number FROM log_head h WHERE h.id = 1`

	readFacts = `
SELECT ` + pending + `, h.first_number, ` + factColumns + `
FROM log_head h LEFT JOIN LATERAL (
	SELECT * FROM facts WHERE number > $1 ORDER BY number LIMIT $2
) f ON true
WHERE h.id = 1
ORDER BY f.number`

	readRevocations = `
SELECT ` + pending + `, h.first_revocation, ` + factColumns + `
FROM log_head h LEFT JOIN LATERAL (
	SELECT * FROM facts WHERE revocation > $1 AND revocation >= h.first_revocation ORDER BY revocation LIMIT $2
) f ON true
WHERE h.id = 1
ORDER BY f.revocation`

	pending = `(SELECT true FROM pending_facts ORDER BY written_at, id LIMIT 1) IS NOT NULL`
)

// Head implements [fact.Log].
func (db *DB) Head(ctx context.Context) (uint64, error) {
	page, err := db.readJournal(ctx, func(ctx context.Context, conn *pgxpool.Conn) (p journalPage, err error) {
		err = conn.QueryRow(ctx, readHead).Scan(&p.pending, &p.number)
		return p, err
	})
	return page.number, err
}

// Facts implements [fact.Log].
func (db *DB) Facts(ctx context.Context, after uint64, limit int) (list []fact.Fact, first uint64, err error) {
	page, err := db.readPage(ctx, readFacts, after, limit)
	return page.facts, page.number, err
}

// Revocations implements [fact.Log].
func (db *DB) Revocations(
	ctx context.Context, after uint64, limit int,
) (list []revocation.Entry, first uint64, err error) {
	page, err := db.readPage(ctx, readRevocations, after, limit)
	for i := range page.facts {
		entry, _ := page.facts[i].Entry()
		list = append(list, entry)
	}
	return list, page.number, err
}

// journalPage is what a reader's statement returns.
type journalPage struct {
	pending bool   // there are facts without a number
	number  uint64 // the newest number, or the first one
	facts   []fact.Fact
}

// readPage reads facts that follow a number.
func (db *DB) readPage(ctx context.Context, statement string, after uint64, limit int) (journalPage, error) {
	return db.readJournal(ctx, func(ctx context.Context, conn *pgxpool.Conn) (journalPage, error) {
		rows, err := conn.Query(ctx, statement, min(after, math.MaxInt64), limit)
		if err != nil {
			return journalPage{}, err
		}
		return scanPage(rows)
	})
}

func scanPage(rows pgx.Rows) (p journalPage, err error) {
	var row factRow
	targets := append([]any{&p.pending, &p.number}, row.targets()...)
	_, err = pgx.ForEachRow(rows, targets, func() error {
		if row.number != nil { // there is something to read
			p.facts = append(p.facts, row.fact())
		}
		return nil
	})
	return p, err
}

// readJournal runs read, and runs it again after giving numbers if there were facts without.
// So a reader finds every fact that was acknowledged before it asked, whoever wrote it.
func (db *DB) readJournal(
	ctx context.Context, read func(context.Context, *pgxpool.Conn) (journalPage, error),
) (page journalPage, err error) {
	readOnce := func(ctx context.Context, conn *pgxpool.Conn) (err error) {
		page, err = read(ctx, conn)
		return err
	}
	if err = db.withConn(ctx, readOnce); err == nil && page.pending {
		if err = db.number(ctx); err == nil {
			err = db.withConn(ctx, readOnce)
		}
	}
	if err != nil {
		return journalPage{}, err
	}
	return page, nil
}
