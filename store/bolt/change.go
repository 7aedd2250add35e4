package bolt

import (
	"bytes"
	"context"
	"errors"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

var (
	errEndTime  = errors.New("bolt: an end needs a time")
	errFactKind = errors.New("bolt: a change can add facts of the kinds changed and administered alone")
)

// Change implements [session.Store].
func (db *DB) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	changed := &session.Snapshot{}
	if err := db.update(ctx, func(t *tx) error { return t.change(at, decide, changed) }); err != nil {
		return session.Snapshot{}, err
	}
	return *changed, nil
}

// change reads a session into snap, runs the decision, and makes snap the session as it will
// be afterwards. The functions named …Later write when tx.later runs them.
func (t *tx) change(at session.Target, decide session.Decision, snap *session.Snapshot) (err error) {
	if *snap, err = t.load(at.Ref); err != nil {
		return err
	}
	var holder session.Snapshot
	if !at.Holder.IsZero() {
		if holder, err = t.load(session.Ref{ID: at.Holder}); err != nil {
			return err
		}
	}
	change, err := guard(func() (session.Change, error) { return decide(*snap, holder) })
	if err != nil {
		return err
	}
	return t.apply(snap, &change)
}

// apply adds the writes of a change, and makes snap the session as it will be read.
func (t *tx) apply(snap *session.Snapshot, c *session.Change) error {
	if err := checkChange(c); err != nil {
		return err
	}
	if c.Admission != nil && snap.End.IsZero() {
		_, err := t.admit(admitted{
			Admission: c.Admission, id: snap.Session.ID, userID: snap.Session.User.ID, by: snap.Session.ClientID,
		})
		if err != nil {
			return err
		}
	}
	next := session.Snapshot{Session: snap.Session, State: snap.State}
	if c.Session != nil {
		next.Session = *c.Session
	}
	setState := c.State != nil && snap.End.IsZero()
	if setState {
		next.State = *c.State
	}
	if c.Session != nil || setState && movesPlaces(&snap.State, &next.State) {
		if err := t.replaceLater(snap, next); err != nil {
			return err
		}
	}
	if setState {
		if err := t.setStateLater(snap, &next.State); err != nil {
			return err
		}
	}
	if c.End != nil && snap.End.IsZero() {
		t.endLater(snap, *c.End, nil)
	}
	if len(c.Facts) > 0 {
		t.later(func() error {
			for _, f := range c.Facts {
				t.addFact(f, session.Notice{})
			}
			return nil
		})
	}
	return nil
}

func checkChange(c *session.Change) error {
	if c.End != nil && c.End.At.IsZero() || c.Admission != nil && c.Admission.At.IsZero() {
		return errEndTime
	}
	if c.End != nil && (len(c.End.By) > maxWord || len(c.End.Reason) > maxWord) {
		return errLongFact
	}
	for i := range c.Facts {
		if f := &c.Facts[i]; f.Kind != fact.Changed && f.Kind != fact.Administered {
			return errFactKind
		}
		if err := checkFact(&c.Facts[i]); err != nil {
			return err
		}
	}
	return nil
}

// replaceLater replaces the record of a session. ID, user, and times of beginning and end stay.
func (t *tx) replaceLater(snap *session.Snapshot, next session.Snapshot) error {
	s, old := next.Session, &snap.Session
	s.ID, s.User, s.CreatedAt, s.ExpiresAt = old.ID, old.User, old.CreatedAt, old.ExpiresAt
	raw, _, stored, err := t.h.codec.store(&s, &next.State)
	if err != nil {
		return err
	}
	snap.Session = stored.Session
	t.later(func() error {
		t.noteTimes(s.AuthTime)
		return t.put(sessions, s.ID[:], raw)
	})
	return nil
}

// setStateLater replaces the state of a session without a recorded end.
func (t *tx) setStateLater(snap *session.Snapshot, st *session.State) error {
	row, stored, err := storeState(&snap.Session, st)
	if err != nil {
		return err
	}
	id := snap.Session.ID
	snap.State = stored
	t.later(func() error {
		t.noteTimes(stored.RedeemedAt, stored.LastSeenAt)
		t.journal.Set(id, row)
		return nil
	})
	return nil
}

// endLater ends a session, unless its end is on record by then, and counts it in n.
func (t *tx) endLater(snap *session.Snapshot, e session.Ending, n *int) {
	id, userID := snap.Session.ID, snap.Session.User.ID
	e.At = fromMillis(millis(e.At))
	snap.End, snap.Mark = e.End, revocation.Mark{}
	t.later(func() error {
		if !t.has(states, id[:]) {
			return nil
		}
		if n != nil {
			*n++
		}
		t.addFact(fact.Fact{Kind: fact.Ended, At: e.At, SID: id, What: string(e.Reason), By: e.By}, e.Notice)
		return t.recordEnd(userID, id, encodeEnd(e.End))
	})
}

func (b *batch) recordEnd(userID string, id sid.ID, end []byte) error {
	b.counters.live--
	key := userKey(userID, id)
	last := append(bytes.Clone(b.state(id)), end...)
	return errors.Join(
		b.delete(states, id[:]),
		b.put(ends, id[:], last),
		b.delete(byUser, key),
		b.put(byUserEnded, key, nil),
	)
}
