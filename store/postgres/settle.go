package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// lateCommits is how long after a mark over a client or everything a sign-in can be committed that did not see it. A
	// mark is only dropped after a pass that began later.
	lateCommits = time.Minute
	// marksAtOnce is how many marks one sweep settles or drops.
	marksAtOnce = 64
	// passPage is how many sessions a pass over all of them looks at in one transaction.
	passPage = 1000
)

const (
	marksToSettle = `SELECT scope, sid, set_at, clock_timestamp() FROM marks WHERE NOT settled ORDER BY until LIMIT $1`
	settleMark    = `UPDATE marks SET settled = true, passed_at = $4 WHERE scope = $1 AND sid = $2 AND set_at = $3`

	// coveredOfUser are the next sessions of user $1 under a mark, and coveredOfAll the next sessions with whether they
	// are under a mark over client $1, or over everything if that is null.
	coveredOfUser = `SELECT sid, true FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND sid <= $2 ORDER BY sid DESC LIMIT $3`
	coveredOfAll  = `SELECT sid, ended_at IS NULL AND ($1::text IS NULL OR client_id = $1) FROM sessions
		WHERE sid <= $2 ORDER BY sid DESC LIMIT $3`

	// dropMarks drops settled marks that verifiers have forgotten by $1, and passAgain and retireMarks see to it that
	// this can be done later with the others.
	dropMarks = `DELETE FROM marks WHERE settled AND until <= $1 AND scope IN (
		SELECT scope FROM marks WHERE settled AND until <= $1 AND (left(scope, 2) = 'u:' OR passed_at >= set_at + $2::interval)
		ORDER BY until LIMIT $3)`
	passAgain = `UPDATE marks SET settled = false WHERE settled AND until <= $1 AND retired
		AND left(scope, 2) <> 'u:' AND set_at <= clock_timestamp() - $2::interval AND passed_at < set_at + $2::interval`
	retireMarks = `UPDATE marks SET retired = true WHERE settled AND until <= $1 AND NOT retired AND left(scope, 2) <> 'u:'`
)

// pass is the progress of recording the ends of the sessions under a mark.
type pass struct {
	scope revocation.Scope
	bound sid.ID
	setAt time.Time // of the mark
	began time.Time // by the clock of the database

	from sid.ID // the newest identifier that has not been looked at
}

// settleMarks records the ends of the next few sessions under marks, of as many marks as fit
// into one sweep.
func (s *sweep) settleMarks(ctx context.Context) (more bool, err error) {
	passes, err := s.openPasses(ctx)
	if err != nil {
		return false, err
	}
	budget := sweepBatch
	for _, p := range passes {
		for over := false; !over; {
			if budget <= 0 {
				return true, nil
			}
			if budget, over, err = s.settle(ctx, &p, budget); err != nil {
				return false, err
			}
			s.db.upkeep.passes[scopeText(p.scope)] = p
		}
	}
	return len(passes) > 0, nil // those that are settled may be dropped
}

// openPasses lists the passes that are under way, and forgets all others.
func (s *sweep) openPasses(ctx context.Context) (passes []pass, err error) {
	var (
		scope string
		id    pgtype.UUID
		p     pass
		open  = map[string]pass{}
	)
	err = s.db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, marksToSettle, marksAtOnce)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&scope, &id, &p.setAt, &p.began}, func() error {
			p.scope, p.bound, p.from = parseScope(scope), id.Bytes, id.Bytes
			if known, ok := s.db.upkeep.passes[scope]; ok && known.bound == p.bound && known.setAt.Equal(p.setAt) {
				open[scope] = known
			} else {
				open[scope] = p
			}
			passes = append(passes, open[scope])
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.db.upkeep.passes = open
	return passes, nil
}

// settle records the ends of up to budget sessions under a mark, and returns what is left of
// the budget. Once all that are there have theirs, the mark is settled, which costs as much as one session.
func (s *sweep) settle(ctx context.Context, p *pass, budget int) (left int, over bool, err error) {
	var (
		next  pass
		ended int
	)
	err = s.db.inTx(ctx, func(tx pgx.Tx) error {
		next = *p
		var ids []sid.ID
		if ids, over, err = next.look(ctx, tx, budget); err != nil {
			return err
		}
		ended, err = s.settleAll(ctx, tx, ids)
		if err != nil || !over {
			return err
		}
		_, err = tx.Exec(ctx, settleMark, scopeText(p.scope), uuid(p.bound), p.setAt, p.began)
		return err
	}, nil)
	if err != nil {
		return 0, false, err
	}
	*p = next
	s.done.Ended += ended
	return budget - ended - 1, over, nil
}

// look lists the next sessions under the mark, up to budget. over says that these are all.
func (p *pass) look(ctx context.Context, tx pgx.Tx, budget int) (ids []sid.ID, over bool, err error) {
	statement, name, limit := coveredOfUser, pgtype.Text{String: p.scope.Name, Valid: p.scope.Name != ""}, budget
	if p.scope.Kind != revocation.KindUser {
		statement, limit = coveredOfAll, passPage
	}
	rows, err := tx.Query(ctx, statement, name, uuid(p.from), limit)
	if err != nil {
		return nil, false, err
	}
	var (
		id      pgtype.UUID
		covered bool
		seen    int
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &covered}, func() error {
		if len(ids) == budget {
			return nil
		}
		seen++
		if p.from = sid.ID(id.Bytes).Before(); covered {
			ids = append(ids, id.Bytes)
		}
		return nil
	})
	return ids, seen < limit && rows.CommandTag().RowsAffected() == int64(seen), err
}

// settleAll records the ends of those of some sessions that have none on record.
func (s *sweep) settleAll(ctx context.Context, tx pgx.Tx, ids []sid.ID) (ended int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	if _, err := lockVersions(ctx, tx, ids); err != nil {
		return 0, err
	}
	found, err := selectAll(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	var ends endings
	for _, id := range ids {
		session := found[id]
		if session == nil || !session.End.IsZero() {
			continue
		}
		if v := s.req.Judge(session.Snapshot); !v.End.IsZero() { // a live session is one that the mark does not cover
			ends.add(&session.Snapshot, ending(v.End))
		}
	}
	var b pgx.Batch
	ends.queue(&b)
	queueFacts(&b, ends.facts)
	return len(ends.ids), tx.SendBatch(ctx, &b).Close()
}

// ending is an end that verifiers know of already, or need not know of.
func ending(end session.End) session.Ending { return session.Ending{End: end} }

// dropMarks drops settled marks that verifiers may have forgotten.
func (s *sweep) dropMarks(ctx context.Context) (more bool, err error) {
	var dropped, again int64
	err = s.db.inTx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(dropMarks, s.req.Now, lateCommits, marksAtOnce).Exec(func(tag pgconn.CommandTag) error {
			dropped = tag.RowsAffected()
			return nil
		})
		b.Queue(passAgain, s.req.Now, lateCommits).Exec(func(tag pgconn.CommandTag) error {
			again = tag.RowsAffected()
			return nil
		})
		b.Queue(retireMarks, s.req.Now)
		return tx.SendBatch(ctx, &b).Close()
	}, nil)
	return dropped == marksAtOnce || again > 0, err
}
