package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrPartitions is a number of partitions that the table of sessions can't have (any more).
var ErrPartitions = errors.New("postgres: the sessions can't be partitioned so")

// maxPartitions is far more than a table is better with.
const maxPartitions = 1024

func checkPartitions(n int) error {
	if n < 0 || n > maxPartitions || n&(n-1) != 0 {
		return fmt.Errorf("%w: %d is not a power of two up to %d, or 0 for none", ErrPartitions, n, maxPartitions)
	}
	return nil
}

const (
	countPartitions = `SELECT count(*) FROM pg_inherits WHERE inhparent = 'sessions'::regclass`

	// describeSessions returns what of sessions its partitioned form gets again: its primary key,
	// its other indexes, and its storage parameters.
	describeSessions = `
SELECT
	(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'sessions'::regclass AND contype = 'p'),
	ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'sessions'::regclass AND NOT indisprimary ORDER BY indexrelid),
	(SELECT coalesce(array_to_string(reloptions, ', '), 'fillfactor = 100') FROM pg_class WHERE oid = 'sessions'::regclass)`
)

// partition makes sessions, which must be empty, a table of n hash partitions by sid.
func partition(ctx context.Context, conn *pgx.Conn, n int) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		var has int
		var filled bool
		if err := tx.QueryRow(ctx, countPartitions).Scan(&has); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM sessions)`).Scan(&filled); err != nil {
			return err
		}
		switch {
		case has == n:
			return nil
		case has > 0:
			return fmt.Errorf("%w: they have %d partitions already", ErrPartitions, has)
		case filled:
			return fmt.Errorf("%w: there are sessions already; use an empty database", ErrPartitions)
		}
		return makePartitions(ctx, tx, n)
	})
	return wrap(err)
}

func makePartitions(ctx context.Context, tx pgx.Tx, n int) error {
	var primaryKey, parameters string
	var indexes []string
	if err := tx.QueryRow(ctx, describeSessions).Scan(&primaryKey, &indexes, &parameters); err != nil {
		return err
	}
	steps := append([]string{
		`ALTER TABLE sessions RENAME TO sessions_undivided`,
		`CREATE TABLE sessions (LIKE sessions_undivided INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (sid)`,
		`DROP TABLE sessions_undivided`,
		`ALTER TABLE sessions ADD CONSTRAINT sessions_pkey ` + primaryKey,
	}, indexes...)
	for i := range n {
		steps = append(steps, fmt.Sprintf(
			`CREATE TABLE sessions_%d PARTITION OF sessions FOR VALUES WITH (MODULUS %d, REMAINDER %d) WITH (%s)`, i, n, i, parameters))
	}
	for _, step := range steps {
		if _, err := tx.Exec(ctx, step); err != nil {
			return err
		}
	}
	return nil
}
