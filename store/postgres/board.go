package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/feed"
)

var _ feed.Board = (*DB)(nil)

// maxPostings is how many postings are read: those of issuers that crash again and again would
// otherwise add up until they are removed.
const maxPostings = 256

const (
	postVerifiers = `INSERT INTO verifier_postings (issuer, posted_at, document) VALUES ($1, clock_timestamp(), $2)
		ON CONFLICT (issuer) DO UPDATE SET posted_at = EXCLUDED.posted_at, document = EXCLUDED.document`
	forgetPostings = `DELETE FROM verifier_postings WHERE issuer IN
		(SELECT issuer FROM verifier_postings WHERE posted_at < clock_timestamp() - $1::interval
			ORDER BY posted_at LIMIT 100 FOR UPDATE SKIP LOCKED)`
	readPostings = `SELECT issuer, extract(epoch FROM clock_timestamp() - posted_at)::float8, document
		FROM verifier_postings ORDER BY posted_at DESC LIMIT $1`
)

// Post implements [feed.Board].
func (db *DB) Post(ctx context.Context, issuer string, document []byte, keep time.Duration) error {
	return db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(postVerifiers, issuer, document)
		b.Queue(forgetPostings, keep)
		return conn.SendBatch(ctx, &b).Close()
	})
}

// Postings implements [feed.Board].
func (db *DB) Postings(ctx context.Context) (list []feed.Posting, err error) {
	err = db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, readPostings, maxPostings)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, scanPosting)
		return err
	})
	return list, err
}

func scanPosting(row pgx.CollectableRow) (p feed.Posting, err error) {
	var seconds float64
	err = row.Scan(&p.Issuer, &seconds, &p.Document)
	p.Age = max(0, time.Duration(seconds*float64(time.Second)))
	return p, err
}
