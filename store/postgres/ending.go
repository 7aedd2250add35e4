package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/session"
)

// endSessions ends sessions whose rows are locked.
const endSessions = `UPDATE sessions s SET ended_at = c.at, end_reason = c.reason, version = c.version
	FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[]) AS c (sid, at, reason, version)
	WHERE s.sid = c.sid AND s.ended_at IS NULL`

// endings are the ends of sessions that a transaction has locked, and their facts.
type endings struct {
	ids      []pgtype.UUID
	ats      []time.Time
	reasons  []string
	versions []int64
	facts    []pendingFact
}

// add ends a session.
func (e *endings) add(s *session.Snapshot, end session.Ending) {
	end.At = milli(end.At)
	e.ids = append(e.ids, uuid(s.Session.ID))
	e.ats = append(e.ats, end.At)
	e.reasons = append(e.reasons, string(end.Reason))
	e.versions = append(e.versions, newVersion())
	e.facts = append(e.facts, endedFact(*s, end))
}

// queue adds the writes to a batch, without the facts.
func (e *endings) queue(b *pgx.Batch) {
	if len(e.ids) > 0 {
		b.Queue(endSessions, e.ids, e.ats, e.reasons, e.versions)
	}
}
