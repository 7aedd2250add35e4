package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The compare-and-set of whole sessions: of records and ends, with the facts of them. The facts are added if the session
// has the version that the statement before has given to it.
const (
	swapSession = `UPDATE sessions s SET (` + insertColumns + `) = (` + insertValues + `)
WHERE s.sid = $1 AND s.version = $40 AND (s.ended_at IS NOT NULL OR ` + unmarked + `)`

	insertFactsOf = insertFacts + ` WHERE EXISTS (SELECT FROM sessions WHERE sid = $10 AND version = $11)`
)

// trySwapSessions makes swaps of whole sessions, in one transaction and one round trip.
func (db *DB) trySwapSessions(ctx context.Context, batch []*call[swap]) error {
	var b pgx.Batch
	won := make([]bool, len(batch))
	for i, c := range batch {
		w := &c.request
		b.Queue(swapSession, append(insertArgs(*w.next), w.version)...).Exec(func(tag pgconn.CommandTag) error {
			won[i] = tag.RowsAffected() == 1
			return nil
		})
		if len(w.facts) > 0 {
			b.Queue(insertFactsOf, append(factArgs(w.facts), uuid(w.next.Session.ID), w.next.version)...)
		}
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	for i, c := range batch {
		c.request.won = won[i]
	}
	return nil
}
