package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	// ErrInUse means that issuers are connected to a database that is to be moved.
	ErrInUse = errors.New("issuers use the database; stop all of them")
	// ErrNotEmpty means that a database that is to be filled holds something.
	ErrNotEmpty = errors.New("the database is not empty: a store is only moved into an empty one")
	// ErrUnknownOutcome means that the connection was lost during the commit, and that the server did not say
	// afterwards what has become of it.
	ErrUnknownOutcome = errors.New("the connection was lost during the commit; if the database is not empty now, the move is complete")
)

const (
	// exclusiveLockTimeout is how long a move waits for those who use the tables, such as an autovacuum, which gives way.
	exclusiveLockTimeout = 10 * time.Second
	// outcomeTimeout is how long the outcome of a commit is asked for.
	outcomeTimeout = time.Minute
	outcomeRetry   = 200 * time.Millisecond
)

// exclusively runs fn in one transaction that takes as long as it needs and in which nobody else writes. commit, if not
// nil, says that it is to be committed and is called before.
func exclusively(ctx context.Context, cfg Config, level pgx.TxIsoLevel, fn, commit func(pgx.Tx) error) error {
	cfg = cfg.withDefaults()
	if _, err := Check(ctx, cfg); err != nil {
		return err
	}
	conn, err := connectSession(ctx, cfg)
	if err != nil {
		return explainConnect(err)
	}
	defer closeConn(ctx, conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
	if err != nil {
		return wrap(err)
	}
	if err := lockTables(ctx, tx); err != nil {
		return err
	}
	if err := fn(tx); err != nil || commit == nil {
		return err // the connection ends, and with it the transaction
	}
	if err := commit(tx); err != nil {
		return err
	}
	return commitKnown(ctx, cfg, tx)
}

// lockTables keeps others from writing. It must come before the first query of a transaction, which takes its snapshot.
func lockTables(ctx context.Context, tx pgx.Tx) error {
	for _, statement := range []string{
		"SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0",
		fmt.Sprintf("SET LOCAL lock_timeout = %d", exclusiveLockTimeout.Milliseconds()),
		"LOCK TABLE " + strings.Join(tables, ", ") + " IN EXCLUSIVE MODE",
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			if sqlState(err) == "55P03" { // lock_not_available
				return fmt.Errorf("%w: its tables were locked for more than %s", ErrInUse, exclusiveLockTimeout)
			}
			return explainCheck(err)
		}
	}
	return nil
}

// commitKnown commits, and asks for the outcome if the connection is lost meanwhile.
func commitKnown(ctx context.Context, cfg Config, tx pgx.Tx) error {
	var id string
	if err := tx.QueryRow(ctx, `SELECT pg_current_xact_id()::text`).Scan(&id); err != nil {
		return wrap(err)
	}
	lost := tx.Commit(ctx)
	if !isConnectionLost(lost) {
		return wrap(lost)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeTimeout)
	defer cancel()
	retry := time.NewTicker(outcomeRetry)
	defer retry.Stop()
	for {
		switch outcome(ctx, cfg, id) {
		case "committed":
			return nil
		case "aborted":
			return wrap(lost)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return ErrUnknownOutcome
		}
	}
}

// outcome is what the server says of a transaction: committed, aborted or in progress; "" if it does not answer.
func outcome(ctx context.Context, cfg Config, id string) (status string) {
	conn, err := connectSession(ctx, cfg)
	if err != nil {
		return ""
	}
	defer closeConn(ctx, conn)
	if err := conn.QueryRow(ctx, `SELECT coalesce(pg_xact_status($1::text::xid8), '')`, id).Scan(&status); err != nil {
		return ""
	}
	return status
}
