package bolt

import (
	"encoding/binary"
	"fmt"

	"issuer.example/revocation"
)

// markRow is a mark, and how far upkeep is with it.
type markRow struct {
	revocation.Mark

	settled bool // every session under it has an end of its own on record
}

// A mark is: settled (1) | sid (16) | at (6) | until (6) | reason. Its key is its scope:
// kind (1) | name.
const markHead = 1 + 16 + 6 + 6

func markKey(scope revocation.Scope) []byte {
	return append([]byte{byte(scope.Kind)}, scope.Name...)
}

func encodeMark(m *markRow) []byte {
	b := make([]byte, markHead, markHead+1)
	if m.settled {
		b[0] = 1
	}
	copy(b[1:17], m.SID[:])
	putMillis(b[17:], millis(m.At))
	putMillis(b[23:], millis(m.Until))
	return appendReason(b, m.Reason)
}

func decodeMark(key, b []byte) (m markRow, err error) {
	if len(key) == 0 || len(b) < markHead || b[0] > 1 || !isMark(revocation.Kind(key[0])) {
		return m, fmt.Errorf("%w: mark %x", ErrDamaged, key)
	}
	reason, rest, err := cutReason(b[markHead:])
	if err != nil {
		return m, fmt.Errorf("mark %x: %w", key, err)
	}
	if len(rest) > 0 {
		return m, fmt.Errorf("%w: mark %x", ErrDamaged, key)
	}
	m = markRow{settled: b[0] == 1, Mark: revocation.Mark{
		Scope: revocation.Scope{Kind: revocation.Kind(key[0]), Name: string(key[1:])},
		At:    fromMillis(getMillis(b[17:])), Until: fromMillis(getMillis(b[23:])), Reason: reason,
	}}
	copy(m.SID[:], b[1:17])
	return m, nil
}

// isMark reports whether a revocation of that kind is a mark.
func isMark(k revocation.Kind) bool {
	return k == revocation.KindUser || k == revocation.KindClient || k == revocation.KindEverything
}

// A mark is to be settled (every session under it gets an end of its own) and then, once
// verifiers have forgotten it, dropped. So that a sweep reads only the marks that it has
// work with, each stands in the bucket marks_to_do under what is to be done next:
//
//	toSettle (1) | key of the mark
//	toDrop (1) | until, in milliseconds (8) | key of the mark
const (
	toSettle = 0
	toDrop   = 1
)

func toDoKey(key []byte, m *markRow) []byte {
	if !m.settled {
		return append([]byte{toSettle}, key...)
	}
	b := binary.BigEndian.AppendUint64([]byte{toDrop}, uint64(millis(m.Until))) //nolint:gosec // never negative
	return append(b, key...)
}

// putMark stores a mark in place of its scope's former one.
func (b *batch) putMark(m *markRow) error {
	key := markKey(m.Scope)
	if err := b.dropMark(key); err != nil {
		return err
	}
	if err := b.put(marksToDo, toDoKey(key, m), nil); err != nil {
		return err
	}
	b.noMarks = false
	return b.put(marks, key, encodeMark(m))
}

// dropMark removes a mark, if there is one. What is to be done with one that is damaged
// cannot be found by its content: the sweep removes it when it comes to it.
func (b *batch) dropMark(key []byte) error {
	raw := b.get(marks, key)
	if raw == nil {
		return nil
	}
	if old, err := decodeMark(key, raw); err == nil {
		if err := b.delete(marksToDo, toDoKey(key, &old)); err != nil {
			return err
		}
	}
	return b.delete(marks, key)
}
