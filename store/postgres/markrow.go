package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// putMark sets the mark of a scope that has none. A mark that is there stays, at least until $4.
	putMark = `INSERT INTO marks AS m (scope, sid, marked_at, until, reason, change, settled) VALUES ($1, $2, $3, $4, $5, $6, false)
		ON CONFLICT (scope) DO UPDATE SET until = greatest(m.until, EXCLUDED.until), change = EXCLUDED.change`
	// riseMark replaces a mark by one that covers more, or one that was to be dropped.
	riseMark = `UPDATE marks SET sid = $2, marked_at = $3, reason = $4, settled = false, set_at = clock_timestamp(),
		passed_at = NULL, retired = false WHERE scope = $1 AND (sid < $2 OR sid = $2 AND retired)`
	readMark = `SELECT sid, marked_at, until, reason FROM marks WHERE scope = $1`
)

// markFact is what the journal says of a mark. It must be called with the locks held that keep out what the mark covers.
func markFact(ctx context.Context, tx pgx.Tx, m *session.MarkRequest, bound sid.ID) (pendingFact, error) {
	until, err := untilOfMark(ctx, tx, m.At, m.Notice)
	return fact.Fact{
		Kind: fact.Marked, At: milli(m.At), SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By, Until: until,
	}, err
}

// queueMark adds the writes of a mark to a batch, and reads the mark that the scope has afterwards, unless mark is nil.
// The bound of a mark never gets smaller: if the scope has a mark with the same or a
// greater bound, that one stays, until the later of the two times.
func queueMark(b *pgx.Batch, f *pendingFact, change int64, mark *revocation.Mark) {
	scope, until := scopeText(f.Scope), f.Until
	if until.IsZero() {
		until = f.At
	}
	b.Queue(putMark, scope, uuid(f.SID), f.At, until, f.What, change)
	b.Queue(riseMark, scope, uuid(f.SID), f.At, f.What)
	if mark == nil {
		return
	}
	b.Queue(readMark, scope).QueryRow(func(row pgx.Row) error {
		var id pgtype.UUID
		m := revocation.Mark{Scope: f.Scope}
		err := row.Scan(&id, &m.At, &m.Until, &m.Reason)
		m.SID, m.At, m.Until = id.Bytes, m.At.UTC(), m.Until.UTC()
		*mark = m
		return err
	})
}
