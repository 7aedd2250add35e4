package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/fact"
)

const (
	// beforeRecord is where a fact is to be looked for that may have been written: among those
	// that were written since, and those that were numbered since.
	beforeRecord = `SELECT clock_timestamp(), number FROM log_head WHERE id = 1`

	// hasRecord finds a fact by its id as long as it has no number, and by what it says after that.
	hasRecord = `
SELECT EXISTS (SELECT FROM pending_facts WHERE written_at >= $1 AND id = $2)
	OR EXISTS (SELECT FROM facts WHERE number > $3 AND (kind, at, sid, key_id, what, by_client)
		IS NOT DISTINCT FROM ($4::smallint, $5::timestamptz, $6::uuid, $7::text, $8::text, $9::text))`
)

// Record implements [fact.Recorder].
func (db *DB) Record(ctx context.Context, f fact.Fact) error {
	if f.Kind != fact.Administered {
		return fmt.Errorf("postgres: a fact of kind %s is written with what it records", f.Kind)
	}
	if err := checkFact(&f); err != nil {
		return err
	}
	f.Until = time.Time{}
	args := factArgs([]pendingFact{f})
	var (
		since  time.Time
		id     = args[0].([]pgtype.UUID)[0] //nolint:forcetypeassert // as factArgs makes it
		number uint64
	)
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, beforeRecord).Scan(&since, &number); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertFacts, args...)
		return err
	}, func(ctx context.Context) (found bool, err error) {
		err = db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
			return conn.QueryRow(ctx, hasRecord, since, id, number,
				int16(f.Kind), milli(f.At), uuid(f.SID), f.KeyID, f.What, f.By).Scan(&found)
		})
		return found, err
	})
	if err == nil {
		db.wrote()
	}
	return err
}
