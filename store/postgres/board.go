package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/feed"
)

var _ feed.Board = (*DB)(nil)

// maxPostings is how many postings are read: those of issuers that crash again and again would
// otherwise add up until they are removed.
const maxPostings = 256

const (
	postSQL = `INSERT INTO verifier_postings (issuer, posted_at, document) VALUES ($1, clock_timestamp(), $2)
		ON CONFLICT (issuer) DO UPDATE SET posted_at = EXCLUDED.posted_at, document = EXCLUDED.document`
	forgetPostingsSQL = `DELETE FROM verifier_postings WHERE issuer IN
		(SELECT issuer FROM verifier_postings WHERE posted_at < clock_timestamp() - $1::interval
			ORDER BY posted_at LIMIT 100 FOR UPDATE SKIP LOCKED)`
	postingsSQL = `SELECT issuer, extract(epoch FROM clock_timestamp() - posted_at)::float8, document
		FROM verifier_postings ORDER BY posted_at DESC LIMIT $1`
)

// Post implements [feed.Board].
func (db *DB) Post(ctx context.Context, issuer string, document []byte, keep time.Duration) error {
	var b pgx.Batch
	b.Queue(postSQL, issuer, document)
	b.Queue(forgetPostingsSQL, keep)
	if err := db.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("posting verifiers: %w", err)
	}
	return nil
}

// Postings implements [feed.Board].
func (db *DB) Postings(ctx context.Context) ([]feed.Posting, error) {
	rows, err := db.pool.Query(ctx, postingsSQL, maxPostings)
	if err != nil {
		return nil, fmt.Errorf("reading the postings of verifiers: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p feed.Posting, err error) {
		var seconds float64
		err = row.Scan(&p.Issuer, &seconds, &p.Document)
		p.Age = max(0, time.Duration(seconds*float64(time.Second)))
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the postings of verifiers: %w", err)
	}
	return list, nil
}
