package postgres

import (
	"context"
	"fmt"

	"issuer.example/session"
)

// maxLostRaces is how often a change is decided on a session that another issuer changes at the same time, before it is
// made with the session locked.
const maxLostRaces = 3

// Change implements [session.Store].
//
// A change is decided on the session as this issuer has seen it last, and written if the session is still so. If it is
// not, or if nothing is to be written, it is decided again on what the database has.
func (db *DB) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	if err := db.enter(ctx); err != nil {
		return session.Snapshot{}, err
	}
	c := &changing{db: db, at: at, decide: decide}
	defer c.unlock()
	for lost := 0; at.Holder.IsZero() && lost <= maxLostRaces; {
		if err := c.plan(ctx); err != nil {
			return session.Snapshot{}, err
		}
		if c.planned == nil {
			return c.seen.Snapshot, nil
		}
		if c.needsLocks() {
			break
		}
		if newer, err := c.lock(ctx); err != nil {
			return session.Snapshot{}, err
		} else if newer {
			continue
		}
		w, err := c.swap(ctx)
		if w.won || err != nil {
			return c.outcome(err)
		}
		if w.alone {
			break
		}
		lost++
		c.seen = nil
	}
	return c.inTransaction(ctx)
}

// changing is one call of [DB.Change].
type changing struct {
	db     *DB
	at     session.Target
	decide session.Decision

	known   bool    // what this issuer has seen last was used
	seen    *stored // what it is decided on
	fresh   bool    // seen was read from the database since the change began
	planned *plan   // what was decided on seen; nil: nothing is to be written
	release func()  // of the session; nil: it is not locked
}

// plan decides on the session. A decision that writes nothing is made on what the database has.
func (c *changing) plan(ctx context.Context) (err error) {
	for {
		if err := c.look(ctx); err != nil {
			return err
		}
		c.planned, err = c.decideOn(c.seen, session.Snapshot{})
		if c.fresh || err == nil && c.planned != nil {
			return err
		}
		c.seen = nil
	}
}

// decideOn makes a plan of the caller's decision.
func (c *changing) decideOn(seen *stored, holder session.Snapshot) (*plan, error) {
	change, err := c.decide(seen.Snapshot, holder)
	if err != nil {
		return nil, err
	}
	if change.End != nil {
		end := *change.End
		end.Notice = c.db.clock.noticed(end.Notice)
		change.End = &end
	}
	return newPlan(seen, &change)
}

// look finds the session, at first where this issuer has it.
func (c *changing) look(ctx context.Context) (err error) {
	if c.seen != nil {
		return nil
	}
	if !c.known {
		c.known = true
		c.seen, _ = c.db.recent.Get(c.at.ID)
	}
	if c.seen == nil {
		c.fresh = true
		if c.seen, err = c.db.read(ctx, c.at.ID); err != nil {
			return err
		}
	}
	if c.at.UserID != "" && c.at.UserID != c.seen.Session.User.ID {
		return session.ErrNotFound // a session never changes its user
	}
	return nil
}

// needsLocks reports whether a plan depends on more than the row of its session.
func (c *changing) needsLocks() bool {
	return c.planned.admission != nil || isMarked(c.seen.Snapshot)
}

// lock keeps other changes of the session out that this issuer makes. newer reports whether one was made meanwhile.
func (c *changing) lock(ctx context.Context) (newer bool, err error) {
	if c.release != nil {
		return false, nil
	}
	if c.release, err = c.db.sids.lock(ctx, c.at.ID); err != nil {
		return false, err
	}
	last, ok := c.db.recent.Get(c.at.ID)
	if !ok || last.version == c.seen.version {
		return false, nil
	}
	c.seen, c.fresh = last, false
	return true, nil
}

func (c *changing) unlock() {
	if c.release != nil {
		c.release()
	}
}

// swap writes what is planned, unless the session has changed.
func (c *changing) swap(ctx context.Context) (swap, error) {
	p := c.planned
	if err := c.db.reserve(ctx, p.times()...); err != nil {
		return swap{}, err
	}
	lane := &c.db.rewrites
	if p.statesOnly {
		lane = &c.db.swaps
	}
	w, abandoned, err := lane.do(ctx, swap{version: c.seen.version, next: p.next, facts: p.facts})
	if abandoned {
		err = fmt.Errorf("%w: the database has not confirmed it yet: %w", session.ErrUnavailable, err)
	}
	return w, err
}

// outcome is what is returned after a write.
func (c *changing) outcome(err error) (session.Snapshot, error) {
	if err != nil {
		c.db.recent.Remove(c.at.ID)
		return session.Snapshot{}, err
	}
	c.db.recent.Add(c.at.ID, c.planned.next)
	if len(c.planned.facts) > 0 {
		c.db.wrote()
	}
	return c.planned.next.Snapshot, nil
}

// isMarked reports whether a mark covers a session.
func isMarked(s session.Snapshot) bool { return !s.Mark.SID.IsZero() }
