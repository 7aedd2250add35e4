package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"issuer.example/revocation"
)

// A mark is to be settled and, once verifiers have forgotten it, dropped. So that the
// sweeper reads only those that it has work with, each mark stands in a second bucket
// under what is to be done next:
//
//	toSettle (1) | key of the mark
//	toDrop (1) | until, in milliseconds (8) | key of the mark
const (
	toSettle = 0
	toDrop   = 1
)

// toDoKey is where a mark stands.
func toDoKey(key []byte, m *revocation.Mark) []byte {
	if !m.Settled {
		return append([]byte{toSettle}, key...)
	}
	b := binary.BigEndian.AppendUint64([]byte{toDrop}, uint64(millis(m.Until))) //nolint:gosec // never negative
	return append(b, key...)
}

// putMark stores a mark in place of its scope's former one.
func (t *tx) putMark(m *revocation.Mark) error {
	key := markKey(m.Scope)
	if err := t.dropMark(key); err != nil {
		return err
	}
	if err := t.put(marksToDo, toDoKey(key, m), nil); err != nil {
		return err
	}
	return t.put(marks, key, encodeMark(m))
}

// dropMark removes a mark, if there is one.
func (t *tx) dropMark(key []byte) error {
	raw := t.get(marks, key)
	if raw == nil {
		return nil
	}
	old, err := decodeMark(key, raw)
	if err != nil {
		return err
	}
	if err := t.delete(marksToDo, toDoKey(key, &old)); err != nil {
		return err
	}
	return t.delete(marks, key)
}

// UnsettledMarks implements [session.Upkeep].
func (t *tx) UnsettledMarks(limit int) (all []revocation.Mark, err error) {
	defer t.catch(&err)
	c := t.bucket(marksToDo).Cursor()
	for k, _ := c.First(); k != nil && k[0] == toSettle && len(all) < limit; k, _ = c.Next() {
		if all, err = t.appendMark(all, k[1:]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ExpiredMarks implements [session.Upkeep].
func (t *tx) ExpiredMarks(by time.Time, limit int) (all []revocation.Mark, err error) {
	defer t.catch(&err)
	last := uint64(millis(by)) //nolint:gosec // never negative
	c := t.bucket(marksToDo).Cursor()
	for k, _ := c.Seek([]byte{toDrop}); k != nil && len(all) < limit; k, _ = c.Next() {
		if len(k) < 1+8 {
			return nil, fmt.Errorf("%w: a key of %d bytes among the marks to drop", ErrDamaged, len(k))
		}
		if binary.BigEndian.Uint64(k[1:]) > last {
			break
		}
		if all, err = t.appendMark(all, k[1+8:]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (t *tx) appendMark(all []revocation.Mark, key []byte) ([]revocation.Mark, error) {
	mark, err := decodeMark(key, t.get(marks, key))
	if err != nil {
		return nil, err
	}
	return append(all, mark), nil
}

// Settle implements [session.Upkeep].
func (t *tx) Settle(mark revocation.Mark) (err error) {
	return t.unlessRaised(mark, func(_ []byte, m revocation.Mark) error {
		m.Settled = true
		return t.putMark(&m)
	})
}

// DropMark implements [session.Upkeep]. A mark whose time was extended counts as raised.
func (t *tx) DropMark(mark revocation.Mark) (err error) {
	return t.unlessRaised(mark, func(key []byte, m revocation.Mark) error {
		if millis(m.Until) > millis(mark.Until) {
			return nil
		}
		return t.dropMark(key)
	})
}

// unlessRaised changes a mark, if it is still the one that the caller saw.
func (t *tx) unlessRaised(mark revocation.Mark, change func(key []byte, m revocation.Mark) error) (err error) {
	defer t.catch(&err)
	if _, _, err := t.Mark(mark.Scope); err != nil {
		return err // damaged: see legible
	}
	key := markKey(mark.Scope)
	t.later(func() error {
		raw := t.get(marks, key)
		if raw == nil {
			return nil
		}
		m, err := decodeMark(key, raw)
		if err != nil || m.SID != mark.SID {
			return err
		}
		return change(key, m)
	})
	return nil
}

// marks checks that each mark stands where its work is found, and nothing else does.
func (a *auditor) marks() error {
	n := 0
	_, err := a.each(marks, func(key, value []byte) error {
		n++
		mark, err := decodeMark(key, value)
		if err != nil {
			return err
		}
		if mark.SID.Compare(a.h.counters.last) > 0 {
			return fmt.Errorf("%w: a mark is newer than the newest session", ErrDamaged)
		}
		at := toDoKey(key, &mark)
		if k, _ := a.tx.Bucket(marksToDo.name()).Cursor().Seek(at); !bytes.Equal(k, at) {
			return fmt.Errorf("%w: nothing is to be done with a mark", ErrDamaged)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = a.each(marksToDo, func([]byte, []byte) error { n--; return nil })
	if err == nil && n != 0 {
		return fmt.Errorf("%w: something is to be done with a mark that is not there", ErrDamaged)
	}
	return err
}
