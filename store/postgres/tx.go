package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxRetries is how often a transaction is repeated that failed because of others.
	maxRetries = 10
	// maxBackoff is the longest time between two attempts.
	maxBackoff = 100 * time.Millisecond
)

// inTx runs fn in a transaction. It retries serialization failures and deadlocks, and turns what
// means that the server cannot answer into session.ErrUnavailable; committed reports whether the
// transaction is there when the connection was lost during the commit (nil: fn runs again).
//
// A context that ends before the commit undoes the transaction.
func (db *DB) inTx(ctx context.Context, fn func(pgx.Tx) error, committed func(ctx context.Context) (bool, error)) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	work, cancel := db.bounded(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		unknown, err := db.tryTx(ctx, work, fn)
		switch {
		case err == nil:
			return nil
		case unknown:
			db.note(ctx, err)
			if done, checkErr := db.resolve(work, committed); checkErr != nil {
				return db.failed(ctx, checkErr)
			} else if done {
				return nil
			}
		case isConnectionLost(err), isUnsent(err): // and so nothing was committed
			db.note(ctx, err)
		case !isRetryable(err):
			return db.failed(ctx, err)
		}
		if attempt == maxRetries || pause(ctx, work, attempt) != nil {
			return db.failed(ctx, err)
		}
	}
}

// tryTx is one attempt. unknown means that nobody knows whether it was committed.
func (db *DB) tryTx(ctx, work context.Context, fn func(pgx.Tx) error) (unknown bool, err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	tx, err := conn.BeginTx(work, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return false, err
	}
	if err := fn(workTx{tx, work}); err != nil {
		_ = tx.Rollback(work) // a connection in a transaction does not go back to the pool
		return false, err
	}
	if err := ctx.Err(); err != nil {
		_ = tx.Rollback(work)
		return false, err
	}
	err = tx.Commit(work)
	return isConnectionLost(err), err
}

// resolve finds out whether a transaction was committed whose connection was lost.
func (db *DB) resolve(ctx context.Context, committed func(ctx context.Context) (bool, error)) (done bool, err error) {
	if committed == nil {
		return false, nil
	}
	for attempt := 0; ; attempt++ {
		if done, err = committed(ctx); err == nil || !isUnavailable(err) || pause(ctx, ctx, attempt) != nil {
			return done, err
		}
	}
}

// pause waits before an attempt is repeated, longer each time.
func pause(ctx, work context.Context, attempt int) error {
	most := min(time.Millisecond<<min(attempt, 10), maxBackoff)
	timer := time.NewTimer(most/2 + rand.N(most/2+1)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-work.Done():
		return work.Err()
	}
}

// workTx is a transaction whose statements do not end with the context of the caller: giving one up costs the connection.
type workTx struct {
	pgx.Tx
	work context.Context //nolint:containedctx // that of the transaction
}

func (t workTx) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.Tx.Exec(t.work, sql, args...)
}

func (t workTx) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.Tx.Query(t.work, sql, args...)
}

func (t workTx) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	return t.Tx.QueryRow(t.work, sql, args...)
}

func (t workTx) SendBatch(_ context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.Tx.SendBatch(t.work, b)
}
