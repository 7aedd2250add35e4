package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
	"issuer.example/sid"
)

// lockSessions locks sessions in the order of their identifiers. A statement that follows sees what they are and
// which marks there are once it has them.
const lockSessions = `SELECT FROM sessions WHERE sid = ANY($1) ORDER BY sid FOR NO KEY UPDATE`

var (
	// errNeedsUser means that a change turned out to need the row of its user, which is locked first.
	errNeedsUser = errors.New("postgres: the user has to be locked")
	// errNeedsClock means that a change has times that are not on record. Putting them there takes a connection of its
	// own, and waits for marks that may wait for this transaction.
	errNeedsClock = errors.New("postgres: the clock has to be put on record")
)

// maxBeginnings is how often a transaction begins anew because it needs more than it had.
const maxBeginnings = 5

// inTransaction makes the change with the session and its holder locked, and if it is admitted with its user.
func (c *changing) inTransaction(ctx context.Context) (session.Snapshot, error) {
	user := ""
	if c.planned != nil && c.planned.admission != nil {
		user = c.seen.Session.User.ID
	}
	for beginnings := 1; ; beginnings++ {
		began := time.Now()
		err := c.runTx(ctx, user)
		switch {
		case errors.Is(err, errNeedsUser):
			user = c.seen.Session.User.ID
			continue
		case errors.Is(err, errNeedsClock) && beginnings < maxBeginnings:
			if err := c.db.reserve(ctx, c.planned.times()...); err != nil {
				return c.unchanged(err)
			}
			continue
		case err != nil || c.planned == nil:
			return c.unchanged(err)
		}
		c.db.observe(1, began)
		return c.outcome(nil)
	}
}

func (c *changing) runTx(ctx context.Context, user string) error {
	change := func(tx pgx.Tx) error { return c.changeIn(ctx, tx, user) }
	if user == "" {
		return c.db.inTx(ctx, change, c.committed)
	}
	return c.db.inUserTx(ctx, user, change, c.committed)
}

// unchanged is what is returned when nothing was written.
func (c *changing) unchanged(err error) (session.Snapshot, error) {
	if err != nil {
		c.db.recent.Remove(c.at.ID)
		return session.Snapshot{}, err
	}
	return c.seen.Snapshot, nil
}

// changeIn decides and writes within a transaction.
func (c *changing) changeIn(ctx context.Context, tx pgx.Tx, user string) error {
	if user != "" {
		if err := lockUser(ctx, tx, user); err != nil {
			return err
		}
	}
	holder, err := c.lockRows(ctx, tx)
	if err != nil {
		return err
	}
	if c.planned, err = c.decideOn(c.seen, holder); err != nil || c.planned == nil {
		return err
	}
	p := c.planned
	var facts []pendingFact
	if p.admission != nil {
		if user == "" {
			return errNeedsUser
		}
		if _, facts, err = c.db.admit(ctx, tx, c.seen.Snapshot, *p.admission, c.seen.Session.ClientID); err != nil {
			return err
		}
	}
	if !c.db.clock.covers(latestOf(p.times()...)) {
		return errNeedsClock
	}
	p.facts = slices.Concat(facts, p.facts)
	var b pgx.Batch
	b.Queue(updateSession, insertArgs(*p.next)...)
	queueFacts(&b, p.facts)
	return tx.SendBatch(ctx, &b).Close()
}

// lockRows locks the session and its holder, and reads them.
func (c *changing) lockRows(ctx context.Context, tx pgx.Tx) (holder session.Snapshot, err error) {
	ids := []sid.ID{c.at.ID}
	if !c.at.Holder.IsZero() && c.at.Holder != c.at.ID {
		ids = append(ids, c.at.Holder)
	}
	var found map[sid.ID]*stored
	var b pgx.Batch
	b.Queue(lockSessions, uuids(ids))
	b.Queue(selectSessions, uuids(ids)).Query(func(rows pgx.Rows) (err error) {
		found, err = collect(rows, len(ids))
		return err
	})
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return holder, err
	}
	s, ok := found[c.at.ID]
	if !ok || c.at.UserID != "" && c.at.UserID != s.Session.User.ID {
		return holder, session.ErrNotFound
	}
	c.seen, c.fresh = s, true
	if c.at.Holder.IsZero() {
		return holder, nil
	}
	h, ok := found[c.at.Holder]
	if !ok {
		return holder, session.ErrNotFound
	}
	return h.Snapshot, nil
}

// committed reports whether the transaction is there: its session has the version that it was given.
func (c *changing) committed(ctx context.Context) (bool, error) {
	if c.planned == nil {
		return true, nil
	}
	versions, err := c.db.confirm(ctx, []sid.ID{c.at.ID})
	return err == nil && versions[c.at.ID] == c.planned.next.version, err
}
