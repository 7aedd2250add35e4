package bolt

import (
	"bytes"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

var _ session.Reader = (*view)(nil)

// view reads within one bbolt transaction, by one goroutine at a time.
type view struct {
	h       *handle
	tx      *bbolt.Tx
	at      uint64 // number of the transaction that it sees the outcome of
	buckets [buckets]*bbolt.Bucket
	cursors [buckets]*bbolt.Cursor
	// fault is why the file could not be read. Nothing that was read counts then.
	fault error
}

// catch makes a panic of bbolt, or a memory fault on a page that cannot be read, an error.
func (v *view) catch(err *error) {
	if p := recover(); p != nil {
		v.fault = fmt.Errorf("reading: %v", p)
		*err = session.ErrUnavailable
	}
}

func (v *view) bucket(b bucket) *bbolt.Bucket {
	if v.buckets[b] == nil {
		v.buckets[b] = v.tx.Bucket(b.name())
		v.buckets[b].FillPercent = b.fill()
	}
	return v.buckets[b]
}

// cursor returns the one cursor of a bucket that lookups share: it keeps its memory.
func (v *view) cursor(b bucket) *bbolt.Cursor {
	if v.cursors[b] == nil {
		v.cursors[b] = v.bucket(b).Cursor()
	}
	return v.cursors[b]
}

// get returns the value of a key, valid until the transaction ends, or nil.
func (v *view) get(b bucket, key []byte) []byte {
	k, value := v.cursor(b).Seek(key)
	if !bytes.Equal(k, key) {
		return nil
	}
	return value
}

func (v *view) has(b bucket, key []byte) bool {
	k, _ := v.cursor(b).Seek(key)
	return bytes.Equal(k, key)
}

// Session implements [session.Reader].
func (v *view) Session(id sid.ID) (snap session.Snapshot, err error) {
	defer v.catch(&err)
	return v.snapshot(id)
}

func (v *view) snapshot(id sid.ID) (snap session.Snapshot, err error) {
	raw := v.get(sessions, id[:])
	if raw == nil {
		return snap, session.ErrNotFound
	}
	if snap.Session, err = v.h.codec.decode(id, raw); err != nil {
		return session.Snapshot{}, err
	}
	if raw = v.state(id); raw == nil {
		if raw = v.get(ends, id[:]); len(raw) < stateLen {
			return session.Snapshot{}, fmt.Errorf("%w: end of session %s has %d bytes", ErrDamaged, id, len(raw))
		}
		if snap.End, err = decodeEnd(id, raw[stateLen:]); err != nil {
			return session.Snapshot{}, err
		}
		raw = raw[:stateLen]
	}
	if snap.State, err = decodeState(id, raw); err != nil {
		return session.Snapshot{}, err
	}
	return snap, nil
}

// state returns the state of a session, or nil if it has none: it has ended, or is none.
func (v *view) state(id sid.ID) []byte {
	raw := v.get(states, id[:])
	if raw == nil {
		return nil
	}
	if newer := v.h.journal.overlay.at(id, v.at); newer != nil {
		return newer[:]
	}
	return raw
}

// UserSession implements [session.Reader]. The record of another user's session is not
// looked at.
func (v *view) UserSession(userID string, id sid.ID) (snap session.Snapshot, err error) {
	defer v.catch(&err)
	if strings.IndexByte(userID, 0) >= 0 {
		return snap, session.ErrNotFound // it would read like another user's key
	}
	key := userKey(userID, id)
	if !v.has(byUser, key) && !v.has(byUserEnded, key) {
		return snap, session.ErrNotFound
	}
	return v.snapshot(id)
}

// UserSessions implements [session.Reader].
func (v *view) UserSessions(userID string, ended bool) iter.Seq2[session.Snapshot, error] {
	b := byUser
	if ended {
		b = byUserEnded
	}
	return func(yield func(session.Snapshot, error) bool) {
		if strings.IndexByte(userID, 0) >= 0 {
			return // no session has such a user, and it would read like another's key
		}
		walk := userWalk{view: v, prefix: append([]byte(userID), 0)}
		for walk.prev(b) {
			if !yield(walk.snap, nil) {
				return
			}
		}
		if walk.err != nil {
			yield(session.Snapshot{}, walk.err)
		}
	}
}

// userWalk goes through the index of one user's sessions, newest first.
type userWalk struct {
	view   *view
	prefix []byte
	cursor *bbolt.Cursor
	snap   session.Snapshot
	err    error
}

// prev moves to the next older session and reports whether there is one.
func (w *userWalk) prev(b bucket) (ok bool) {
	defer func() { ok = ok && w.err == nil }()
	defer w.view.catch(&w.err)
	var key []byte
	if w.cursor == nil {
		w.cursor = w.view.bucket(b).Cursor()
		key = seekBefore(w.cursor, append(bytes.Clone(w.prefix[:len(w.prefix)-1]), 1))
	} else {
		key, _ = w.cursor.Prev()
	}
	if !bytes.HasPrefix(key, w.prefix) {
		return false
	}
	if len(key) != len(w.prefix)+len(sid.ID{}) {
		w.err = fmt.Errorf("%w: a key of %d bytes among a user's sessions", ErrDamaged, len(key))
		return false
	}
	w.snap, w.err = w.view.snapshot(sid.ID(key[len(w.prefix):]))
	return true
}

// seekBefore moves the cursor to the last key below limit and returns it, or nil.
func seekBefore(c *bbolt.Cursor, limit []byte) []byte {
	if k, _ := c.Seek(limit); k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ := c.Prev()
	return k
}

// Mark implements [session.Reader].
func (v *view) Mark(scope revocation.Scope) (mark revocation.Mark, ok bool, err error) {
	defer v.catch(&err)
	key := markKey(scope)
	raw := v.get(marks, key)
	if raw == nil {
		return mark, false, nil
	}
	mark, err = decodeMark(key, raw)
	return mark, err == nil, err
}
