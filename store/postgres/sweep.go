package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// sweepBatch bounds the sessions that one sweep looks at in one transaction.
	sweepBatch = 200
	// usersPage is how many rows of users a sweep without other work looks at.
	usersPage = 200
	// usersKeep is for how long the row of a user who has no sessions is kept after the last sign-in.
	usersKeep = 24 * time.Hour
)

const (
	// whatIsDue reports whether there is a mark to settle, a mark to drop, and a session to look at, and what is on record
	// of all clocks.
	// (The order lets it look at the beginnings of indexes.)
	whatIsDue = `SELECT coalesce((SELECT true FROM marks WHERE NOT settled ORDER BY until LIMIT 1), false),
		coalesce((SELECT true FROM marks WHERE settled AND until <= $1
			AND (NOT retired OR set_at <= clock_timestamp() - $2::interval) ORDER BY until LIMIT 1), false),
		coalesce((SELECT true FROM sessions WHERE due_at <= $1 ORDER BY due_at LIMIT 1), false),
		(` + latestClocks + `)`

	lockDue        = `SELECT sid FROM sessions WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`
	deferSessions  = `UPDATE sessions s SET due_at = c.due_at FROM unnest($1::uuid[], $2::timestamptz[]) AS c (sid, due_at) WHERE s.sid = c.sid`
	forgetSessions = `DELETE FROM sessions WHERE sid = ANY($1)`

	// forgetUsers removes those of the next $2 users after $1 who have no sessions, nor an identifier above $3.
	forgetUsers = `WITH page AS (
		SELECT user_id, newest FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2
	), gone AS (
		DELETE FROM users u USING page p WHERE u.user_id = p.user_id AND u.newest = p.newest AND u.newest < $3
			AND u.user_id > $1 AND u.user_id <= (SELECT max(user_id) FROM page)
			AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = p.user_id AND s.ended_at IS NULL)
			AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = p.user_id AND s.ended_at IS NOT NULL)
	) SELECT count(*), coalesce(max(user_id), '') FROM page`
)

// upkeep is what the sweeps of an issuer remember. Losing it costs some work twice.
type upkeep struct {
	mu     sync.Mutex // one sweep at a time
	passes map[string]pass
	user   string // users up to this one have been looked at
}

// sweep is one run of upkeep.
type sweep struct {
	db   *DB
	req  session.SweepRequest
	done session.Swept
}

// Sweep implements [session.Store]. It stops after the first step that has left work undone.
func (db *DB) Sweep(ctx context.Context, req session.SweepRequest) (session.Swept, error) {
	if err := db.enter(ctx); err != nil {
		return session.Swept{}, err
	}
	db.upkeep.mu.Lock()
	defer db.upkeep.mu.Unlock()
	// Tokens that are dated without a write are on record ahead of their time, too.
	if err := db.reserveUntil(ctx, latestOf(req.Now, req.Issued), ahead/2); err != nil {
		return session.Swept{}, err
	}
	s := &sweep{db: db, req: req}
	if err := s.run(ctx); err != nil {
		return session.Swept{}, err
	}
	if s.done.Ended > 0 {
		db.wrote()
	}
	return s.done, nil
}

func (s *sweep) run(ctx context.Context) error {
	var (
		settle, drop, due bool
		latest            pgtype.Timestamptz
	)
	err := s.db.queryRow(ctx, whatIsDue, []any{s.req.Now, lateCommits}, &settle, &drop, &due, &latest)
	if err != nil {
		return err
	}
	s.db.clock.learn(timeOf(latest))
	for _, step := range []struct {
		needed bool
		run    func(context.Context) (more bool, err error)
	}{{settle, s.settleMarks}, {drop, s.dropMarks}, {due, s.sweepDue}, {true, s.trim}, {true, s.forgetUsers}} {
		if !step.needed {
			continue
		}
		more, err := step.run(ctx)
		if err != nil {
			return err
		}
		if more {
			s.done.More = true
			return nil
		}
	}
	return nil
}

func (s *sweep) trim(ctx context.Context) (more bool, err error) { return s.db.trim(ctx, s.req.Now) }

// sweepDue looks at sessions whose time may be over, except for those that another issuer looks at or changes.
func (s *sweep) sweepDue(ctx context.Context) (more bool, err error) {
	var d dueSessions
	err = s.db.inTx(ctx, func(tx pgx.Tx) error {
		d = dueSessions{}
		ids, err := scanIDs(tx.Query(ctx, lockDue, s.req.Now, sweepBatch))
		if err != nil || len(ids) == 0 {
			return err
		}
		found, err := selectAll(ctx, tx, ids)
		if err != nil {
			return err
		}
		d.seen = len(ids)
		for _, id := range ids {
			if session := found[id]; session != nil {
				d.look(session, s.req)
			}
		}
		return d.write(ctx, tx)
	}, nil)
	if err != nil {
		return false, err
	}
	s.done.Ended += d.ended
	s.done.Forgotten += len(d.forgotten)
	return d.seen == sweepBatch, nil
}

// dueSessions is what becomes of sessions that a sweep looks at.
type dueSessions struct {
	seen, ended int

	ends      endings
	forgotten []sid.ID
	deferred  []sid.ID
	dueAt     []time.Time
}

// look looks at a session that is due.
func (d *dueSessions) look(s *stored, req session.SweepRequest) {
	v := req.Judge(s.Snapshot)
	over := !v.End.IsZero()
	forget := over && !req.Now.Before(v.Again)
	if over && s.End.IsZero() {
		d.ended++
		if end := ending(v.End); forget {
			d.ends.facts = append(d.ends.facts, endedFact(s.Snapshot, end))
		} else {
			d.ends.add(&s.Snapshot, end)
		}
	}
	if forget {
		d.forgotten = append(d.forgotten, s.Session.ID)
		return
	}
	again := milli(v.Again)
	if !again.After(req.Now) {
		again = milli(req.Now.Add(time.Millisecond)) // never at once, which would repeat for ever
	}
	d.deferred, d.dueAt = append(d.deferred, s.Session.ID), append(d.dueAt, again)
}

func (d *dueSessions) write(ctx context.Context, tx pgx.Tx) error {
	var b pgx.Batch
	d.ends.queue(&b)
	if len(d.deferred) > 0 {
		b.Queue(deferSessions, uuids(d.deferred), d.dueAt)
	}
	if len(d.forgotten) > 0 {
		b.Queue(forgetSessions, uuids(d.forgotten))
	}
	queueFacts(&b, d.ends.facts)
	return tx.SendBatch(ctx, &b).Close()
}

// forgetUsers looks at the next few users, and removes those who have not signed in for long and have no sessions.
func (s *sweep) forgetUsers(ctx context.Context) (more bool, err error) {
	var seen int
	u := &s.db.upkeep
	limit := sid.Next(sid.ID{}, s.req.Now.Add(-usersKeep))
	if err := s.db.queryRow(ctx, forgetUsers, []any{u.user, usersPage, uuid(limit)}, &seen, &u.user); err != nil {
		return false, err
	}
	if seen < usersPage {
		u.user = ""
	}
	return false, nil
}

// queryRow runs one statement by itself that returns one row.
func (db *DB) queryRow(ctx context.Context, statement string, args []any, targets ...any) error {
	return db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, statement, args...).Scan(targets...)
	})
}
