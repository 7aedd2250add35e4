package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
)

func dueKey(d session.Due) []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(millis(d.At))) //nolint:gosec // never negative
	return append(key, d.ID[:]...)
}

// Due implements [session.Upkeep].
func (t *tx) Due(by time.Time, limit int) (due []session.Due, err error) {
	defer t.catch(&err)
	last := millis(by)
	c := t.bucket(byDue).Cursor()
	for k, _ := c.First(); k != nil && len(due) < limit; k, _ = c.Next() {
		if len(k) != 8+len(sid.ID{}) {
			return nil, fmt.Errorf("%w: a key of %d bytes among the due", ErrDamaged, len(k))
		}
		at := int64(binary.BigEndian.Uint64(k)) //nolint:gosec // at most maxMillis
		if at > last {
			break
		}
		due = append(due, session.Due{At: fromMillis(at), ID: sid.ID(k[8:])})
	}
	return due, nil
}

// Defer implements [session.Upkeep]. It does nothing if the session is not due then.
func (t *tx) Defer(due session.Due, at time.Time) (err error) {
	defer t.catch(&err)
	key := dueKey(due)
	t.later(func() error {
		if !t.has(byDue, key) {
			return nil
		}
		return errors.Join(
			t.delete(byDue, key),
			t.put(byDue, dueKey(session.Due{At: at, ID: due.ID}), nil),
		)
	})
	return nil
}

// Purge implements [session.Upkeep]. It does nothing if the session is not due then.
func (t *tx) Purge(due session.Due) (err error) {
	defer t.catch(&err)
	if err := t.legible(due.ID); err != nil {
		return err
	}
	key := dueKey(due)
	t.later(func() error {
		if !t.has(byDue, key) {
			return nil
		}
		return errors.Join(t.delete(byDue, key), t.forget(due.ID))
	})
	return nil
}

// forget removes a session, live or ended.
func (t *tx) forget(id sid.ID) error {
	raw := t.get(sessions, id[:])
	if raw == nil {
		return nil
	}
	s, err := t.h.codec.decode(id, raw)
	if err != nil {
		return err
	}
	key := userKey(s.User.ID, id)
	if t.has(states, id[:]) {
		t.counters.live--
	}
	return errors.Join(
		t.delete(sessions, id[:]), t.delete(states, id[:]), t.delete(ends, id[:]),
		t.delete(byUser, key), t.delete(byUserEnded, key),
	)
}

// LiveAfter implements [session.Upkeep].
func (t *tx) LiveAfter(id sid.ID, limit int) (live []session.Snapshot, err error) {
	defer t.catch(&err)
	c := t.bucket(states).Cursor()
	k, _ := c.Seek(id[:])
	if string(k) == string(id[:]) {
		k, _ = c.Next()
	}
	for ; k != nil && len(live) < limit; k, _ = c.Next() {
		if len(k) != len(sid.ID{}) {
			return nil, fmt.Errorf("%w: a key of %d bytes among the states", ErrDamaged, len(k))
		}
		snap, err := t.snapshot(sid.ID(k))
		if err != nil {
			return nil, err
		}
		live = append(live, snap)
	}
	return live, nil
}

// TrimLog implements [session.Upkeep]. It stops at the first entry that is still needed,
// so that the log has no gaps.
func (t *tx) TrimLog(by time.Time, limit int) (n int, err error) {
	defer t.catch(&err)
	var keys [][]byte
	c := t.bucket(revocations).Cursor()
	for k, raw := c.First(); k != nil && len(keys) < limit; k, raw = c.Next() {
		entry, err := decodeEntry(k, raw)
		if err != nil {
			return 0, err
		}
		if millis(entry.Until) > millis(by) {
			break
		}
		keys = append(keys, seqKey(entry.Seq))
	}
	t.later(func() error {
		for _, key := range keys {
			if err := t.delete(revocations, key); err != nil {
				return err
			}
		}
		return nil
	})
	return len(keys), nil
}
