package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

var _ session.Tx = (*tx)(nil)

// tx is one caller's transaction within a batch. Its writes wait until its function has
// returned without an error, so that one that fails leaves no trace in the batch.
type tx struct {
	*batch
	writes  []func() error
	created []sid.ID
}

// later adds a write. What can be refused has been refused before: an error of a write is
// one of the store, and fails the batch.
func (t *tx) later(write func() error) { t.writes = append(t.writes, write) }

// exists reports whether a session is on record, or will be.
func (t *tx) exists(id sid.ID) bool {
	return t.has(sessions, id[:]) || slices.Contains(t.created, id)
}

// Create implements [session.Tx]. It refuses an identifier that is not greater than all
// others, and a user id with a NUL in it.
func (t *tx) Create(s session.Session, st session.State, due time.Time) (err error) {
	defer t.catch(&err)
	newest := t.counters.last
	if len(t.created) > 0 {
		newest = t.created[len(t.created)-1]
	}
	if s.ID.Compare(newest) <= 0 {
		return fmt.Errorf("bolt: session id %s is not greater than %s", s.ID, newest)
	}
	if !validUser(s.User.ID) {
		return errors.New("bolt: unusable user id")
	}
	raw, err := t.h.codec.encode(&s)
	if err != nil {
		return fmt.Errorf("encoding session %s: %w", s.ID, err)
	}
	state := encodeState(&st)
	t.created = append(t.created, s.ID)
	t.later(func() error {
		if s.ID.Compare(t.counters.last) > 0 {
			t.counters.last = s.ID
		}
		t.counters.live++
		return errors.Join(
			t.put(sessions, s.ID[:], raw),
			t.put(states, s.ID[:], state[:]),
			t.put(byUser, userKey(s.User.ID, s.ID), nil),
			t.put(byDue, dueKey(session.Due{At: due, ID: s.ID}), nil),
		)
	})
	return nil
}

// maxName bounds what becomes part of a key. It is far above what the domains allow.
const maxName = 4096

// validUser tells whether a user id can be part of a key.
func validUser(id string) bool {
	return id != "" && strings.IndexByte(id, 0) < 0 && len(id) <= maxName
}

// Amend implements [session.Tx].
func (t *tx) Amend(s session.Session) (err error) {
	defer t.catch(&err)
	raw := t.get(sessions, s.ID[:])
	if raw == nil {
		return session.ErrNotFound
	}
	old, err := t.h.codec.decode(s.ID, raw)
	if err != nil {
		return err
	}
	s.User, s.CreatedAt, s.ExpiresAt = old.User, old.CreatedAt, old.ExpiresAt
	amended, err := t.h.codec.encode(&s)
	if err != nil {
		return fmt.Errorf("encoding session %s: %w", s.ID, err)
	}
	t.later(func() error { return t.put(sessions, s.ID[:], amended) })
	return nil
}

// SetState implements [session.Tx]. It is [session.ErrNotFound] for a session that has
// ended.
func (t *tx) SetState(id sid.ID, st session.State) (err error) {
	defer t.catch(&err)
	if !t.has(states, id[:]) && !slices.Contains(t.created, id) {
		return session.ErrNotFound
	}
	state := encodeState(&st)
	t.later(func() error {
		if t.has(states, id[:]) { // or else this very transaction has ended it
			t.setState(id, state)
		}
		return nil
	})
	return nil
}

// End implements [session.Tx].
func (t *tx) End(id sid.ID, end session.End) (err error) {
	defer t.catch(&err)
	if end.At.IsZero() {
		return errors.New("bolt: an end without a time")
	}
	if !t.exists(id) {
		return session.ErrNotFound
	}
	if err := t.legible(id); err != nil {
		return err
	}
	t.later(func() error {
		if !t.has(states, id[:]) {
			return nil // it has an end, or was purged by this very transaction
		}
		return t.end(id, encodeEnd(end))
	})
	return nil
}

// legible is an error if the record of a session is damaged. What is about to be read
// again when the writes are applied is read before, for an error there fails the store.
func (t *tx) legible(id sid.ID) error {
	raw := t.get(sessions, id[:])
	if raw == nil {
		return nil
	}
	_, err := t.h.codec.decode(id, raw)
	return err
}

func (t *tx) end(id sid.ID, end []byte) error {
	s, err := t.h.codec.decode(id, t.get(sessions, id[:]))
	if err != nil {
		return err
	}
	t.counters.live--
	key := userKey(s.User.ID, id)
	last := append(bytes.Clone(t.state(id)), end...)
	return errors.Join(
		t.delete(states, id[:]),
		t.put(ends, id[:], last),
		t.delete(byUser, key),
		t.put(byUserEnded, key, nil),
	)
}

// Revoke implements [session.Tx]. A mark only ever rises: one at or below its scope's
// mark is logged, and keeps that one in force for as long as either asks.
func (t *tx) Revoke(entry revocation.Entry) (err error) {
	defer t.catch(&err)
	if entry.Scope.Kind != revocation.KindSession && !marking(entry.Scope.Kind) {
		return fmt.Errorf("bolt: unknown kind %d of revocation", entry.Scope.Kind)
	}
	if len(entry.Scope.Name) > maxName {
		return errors.New("bolt: unusable name of a scope")
	}
	if _, _, err := t.Mark(entry.Scope); err != nil {
		return err // damaged: see legible
	}
	t.later(func() error {
		t.counters.seq++
		err := t.put(revocations, seqKey(t.counters.seq), encodeEntry(&entry))
		if err != nil || !marking(entry.Scope.Kind) {
			return err
		}
		return t.raise(&entry)
	})
	return nil
}

// raise makes the entry its scope's mark.
func (t *tx) raise(e *revocation.Entry) error {
	if e.SID.Compare(t.counters.last) > 0 {
		t.counters.last = e.SID
	}
	mark := revocation.Mark{Scope: e.Scope, SID: e.SID, At: e.At, Until: e.Until, Reason: e.Reason}
	key := markKey(e.Scope)
	if raw := t.get(marks, key); raw != nil {
		old, err := decodeMark(key, raw)
		if err != nil {
			return err
		}
		if old.Covers(mark.SID) {
			if !mark.Until.After(old.Until) {
				return nil
			}
			old.Until = mark.Until
			mark = old
		}
	}
	return t.putMark(&mark)
}

func userKey(userID string, id sid.ID) []byte {
	key := make([]byte, 0, len(userID)+1+len(id))
	key = append(key, userID...)
	key = append(key, 0)
	return append(key, id[:]...)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
