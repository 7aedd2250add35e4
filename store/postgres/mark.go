package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// maxCounted bounds the sessions that a mark locks and counts in its transaction. Those of a user with more are
	// counted just before: then some that end or begin meanwhile are counted wrongly.
	maxCounted = 1000
)

const (
	newestSession = `SELECT sid FROM sessions ORDER BY sid DESC LIMIT 1`
	// newVersions makes those fail who have decided on a change before.
	newVersions = `UPDATE sessions s SET version = c.version FROM unnest($1::uuid[], $2::bigint[]) AS c (sid, version) WHERE s.sid = c.sid`
	markBound   = `SELECT sid FROM marks WHERE scope = $1`
	touchMark   = `UPDATE marks SET change = change WHERE scope = $1 AND change = $2`
	newerThan   = `SELECT sid FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND sid > $2 ORDER BY sid LIMIT $3`
)

var (
	errScope     = errors.New("postgres: a mark is over a user, a client or everything")
	errScopeName = errors.New("postgres: the name of a scope has at most 255 bytes")
	errSpare     = errors.New("postgres: only a mark over the user of its holder can spare it")
	errTooMany   = errors.New("postgres: too many sessions to count in one transaction")
)

// Mark implements [session.Store].
func (db *DB) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if err := checkMark(&m); err != nil {
		return session.Marked{}, err
	}
	m.Notice = db.clock.noticed(m.Notice)
	k := &marking{db: db, MarkRequest: &m, change: newVersion(), counted: -1}
	err := k.set(ctx)
	if errors.Is(err, errTooMany) {
		err = k.setOverMany(ctx)
	}
	if err != nil {
		return session.Marked{}, err
	}
	db.wrote()
	for _, id := range k.touched {
		db.recent.Remove(id)
	}
	return k.marked, nil
}

func checkMark(m *session.MarkRequest) error {
	switch {
	case m.Scope.Kind != revocation.KindUser && m.Scope.Kind != revocation.KindClient && m.Scope.Kind != revocation.KindEverything:
		return errScope
	case len(m.Scope.Name) > maxUserID:
		return errScopeName
	case len(m.Reason) > maxWord || len(m.By) > maxWord:
		return errLongFact
	case m.SpareHolder && (m.Holder.IsZero() || m.Scope.Kind != revocation.KindUser):
		return errSpare
	case m.At.IsZero():
		return errEndTime
	}
	return nil
}

// marking is a mark that is about to be set.
type marking struct {
	*session.MarkRequest

	db     *DB
	change int64 // what the row has when it was written
	// counted is how many sessions the mark covers, if they were counted before; else -1.
	counted int
	// ended is the newest session up to which those that are newer than a spared holder have ended already.
	ended sid.ID

	marked  session.Marked
	touched []sid.ID // the sessions that it has changed
}

// setOverMany sets a mark over a user who has too many sessions to lock and count them in its transaction.
func (k *marking) setOverMany(ctx context.Context) (err error) {
	if k.counted, err = k.db.countLiveOf(ctx, k.MarkRequest); err != nil {
		return err
	}
	if k.SpareHolder {
		if err := k.endNewer(ctx); err != nil {
			return err
		}
	}
	return k.set(ctx)
}

// set sets the mark, unless an attempt whose connection was lost has set it.
func (k *marking) set(ctx context.Context) error {
	tried := false
	set := func(tx pgx.Tx) error {
		if tried {
			if done, err := k.isSet(ctx, tx); done || err != nil {
				return err
			}
		}
		tried, k.marked, k.touched = true, session.Marked{}, nil
		if k.Scope.Kind == revocation.KindUser {
			return k.setForUser(ctx, tx)
		}
		return k.setForMany(ctx, tx)
	}
	if k.Scope.Kind == revocation.KindUser {
		return k.db.inUserTx(ctx, k.Scope.Name, set, nil)
	}
	return k.db.inTx(ctx, set, nil)
}

// isSet reports whether the mark is there. It waits for an attempt that is under way still, and writes, so that what it
// has seen is as durable as its own commit.
func (k *marking) isSet(ctx context.Context, tx pgx.Tx) (bool, error) {
	if k.Scope.Kind == revocation.KindUser {
		if err := lockUser(ctx, tx, k.Scope.Name); err != nil {
			return false, err
		}
	}
	tag, err := tx.Exec(ctx, touchMark, scopeText(k.Scope), k.change)
	return tag.RowsAffected() > 0, err
}

// write writes the mark and the facts.
func (k *marking) write(ctx context.Context, tx pgx.Tx, b *pgx.Batch, bound sid.ID, facts []pendingFact) error {
	f, err := markFact(ctx, tx, k.MarkRequest, bound)
	if err != nil {
		return err
	}
	queueMark(b, &f, k.change, &k.marked.Mark)
	queueFacts(b, append([]pendingFact{f}, facts...))
	return tx.SendBatch(ctx, b).Close()
}

// bound is the newest identifier that a mark is to cover.
func (k *marking) bound(ctx context.Context, tx pgx.Tx, newest sid.ID) (sid.ID, error) {
	if k.SpareHolder {
		return k.Holder.Before(), nil
	}
	marked, err := scanIDs(tx.Query(ctx, markBound, scopeText(k.Scope)))
	if bound := greatest(append(marked, newest)...); !bound.IsZero() || err != nil {
		return bound, err
	}
	return sid.Next(sid.ID{}, k.At), nil // there is no session to cover, but verifiers expect an identifier
}

// setForMany sets a mark over a client or everything. A sign-in at the same time may be on either side of it.
func (k *marking) setForMany(ctx context.Context, tx pgx.Tx) error {
	if !k.Holder.IsZero() {
		ids := []sid.ID{k.Holder}
		if _, err := lockVersions(ctx, tx, ids); err != nil {
			return err
		}
		found, err := selectAll(ctx, tx, ids)
		if err != nil {
			return err
		}
		if err := k.allow(found); err != nil {
			return err
		}
	}
	if err := lockAllClocks(ctx, tx); err != nil {
		return err
	}
	newest, err := scanIDs(tx.Query(ctx, newestSession))
	if err != nil {
		return err
	}
	bound, err := k.bound(ctx, tx, greatest(newest...))
	if err != nil {
		return err
	}
	return k.write(ctx, tx, &pgx.Batch{}, bound, nil)
}
