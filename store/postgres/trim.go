package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// trimmedAtOnce is how many facts, and how many revocations, one trim removes at most.
const trimmedAtOnce = 1000

// The statements that trim look at the oldest of the journal, up to $2, and find the first that
// is still needed. They return how many are gone.
const (
	// trimRevocations hides revocations that verifiers may have forgotten by $1.
	trimRevocations = `
WITH oldest AS (
	SELECT revocation, until > $1 AS needed FROM facts
	WHERE revocation >= (SELECT first_revocation FROM log_head WHERE id = 1) ORDER BY revocation LIMIT $2
), cut AS (SELECT coalesce(min(revocation) FILTER (WHERE needed), max(revocation) + 1) AS first, min(revocation) AS was FROM oldest)
UPDATE log_head h SET first_revocation = cut.first FROM cut WHERE h.id = 1 AND cut.first > h.first_revocation
RETURNING cut.first - cut.was`

	// trimFacts removes facts that verifiers may have forgotten by $1, and that are from before $3.
	trimFacts = `
WITH oldest AS (
	SELECT number, coalesce(until > $1, false) OR at > $3 AS needed FROM facts
	WHERE number >= (SELECT first_number FROM log_head WHERE id = 1) ORDER BY number LIMIT $2
), cut AS (SELECT coalesce(min(number) FILTER (WHERE needed), max(number) + 1) AS first, min(number) AS was FROM oldest
), removed AS (
	DELETE FROM facts WHERE number = ANY (ARRAY(SELECT number FROM oldest, cut WHERE number < cut.first))
)
UPDATE log_head h SET first_number = cut.first FROM cut WHERE h.id = 1 AND cut.first > h.first_number
RETURNING cut.first - cut.was`
)

// trim removes facts from the beginning of the journal that nobody needs, so that it has no
// gaps, and revocations before their facts. More says that there may be more to remove.
func (db *DB) trim(ctx context.Context, now time.Time) (more bool, err error) {
	if _, err := db.Head(ctx); err != nil { // which numbers what is to be trimmed
		return false, err
	}
	n, err := db.cut(ctx, trimRevocations, now, trimmedAtOnce)
	if err != nil || n >= trimmedAtOnce {
		return err == nil, err // a fact stays as long as its revocation
	}
	n, err = db.cut(ctx, trimFacts, now, trimmedAtOnce, now.Add(-db.cfg.FactsKeep))
	return n >= trimmedAtOnce, err
}

// cut runs a statement that trims.
func (db *DB) cut(ctx context.Context, statement string, args ...any) (removed int64, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		removed = 0
		_, err = pgx.ForEachRow(rows, []any{&removed}, func() error { return nil })
		return err
	}, nil)
	return removed, err
}
