package bolt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

var _ session.Store = (*DB)(nil)

// Load implements [session.Store].
func (db *DB) Load(ctx context.Context, ref session.Ref) (snap session.Snapshot, err error) {
	err = db.view(ctx, func(v *view) (err error) {
		snap, err = v.load(ref)
		return err
	})
	return snap, err
}

// load reads a session with the mark over it.
func (v *view) load(ref session.Ref) (snap session.Snapshot, err error) {
	if ref.UserID != "" && !v.isOf(ref) {
		return snap, session.ErrNotFound
	}
	if snap, err = v.session(ref.ID); err != nil {
		return session.Snapshot{}, err
	}
	if !snap.End.IsZero() {
		return snap, nil
	}
	if snap.Mark, err = v.earliestMark(&snap.Session); err != nil {
		return session.Snapshot{}, err
	}
	return snap, nil
}

// isOf reports whether a session is one of that user's. It does not look at the session, so
// that another user's takes the same time as none.
func (v *view) isOf(ref session.Ref) bool {
	if strings.IndexByte(ref.UserID, 0) >= 0 {
		return false // it would read like another user's key
	}
	key := userKey(ref.UserID, ref.ID)
	live, ended := v.has(byUser, key), v.has(byUserEnded, key)
	return live || ended
}

// session reads a session alone.
func (v *view) session(id sid.ID) (snap session.Snapshot, err error) {
	raw := v.get(sessions, id[:])
	if raw == nil {
		return snap, session.ErrNotFound
	}
	var at places
	if snap.Session, at, err = v.h.codec.decode(id, raw); err != nil {
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
	at.complete(&snap.Session, &snap.State)
	return snap, nil
}

// state returns the state of a session, or nil if it has ended or there is none.
func (v *view) state(id sid.ID) []byte {
	raw := v.get(states, id[:])
	if raw == nil {
		return nil
	}
	if newer := v.h.journal.State(id, v.at); newer != nil {
		return newer[:]
	}
	return raw
}

// earliestMark returns the mark that was set first of those that cover a session, or the
// zero Mark.
func (v *view) earliestMark(s *session.Session) (earliest revocation.Mark, err error) {
	if v.noMarks {
		return earliest, nil
	}
	if first, _ := v.cursor(marks).First(); first == nil {
		v.noMarks = true
		return earliest, nil
	}
	for _, scope := range revocation.ScopesOf(s.User.ID, s.ClientID) {
		mark, ok, err := v.mark(scope)
		if err != nil {
			return revocation.Mark{}, err
		}
		if ok && mark.Covers(s.ID) && (earliest.SID.IsZero() || mark.At.Before(earliest.At)) {
			earliest = mark.Mark
		}
	}
	return earliest, nil
}

// mark returns the mark of a scope; ok is false if there is none.
func (v *view) mark(scope revocation.Scope) (mark markRow, ok bool, err error) {
	key := markKey(scope)
	raw := v.get(marks, key)
	if raw == nil {
		return mark, false, nil
	}
	mark, err = decodeMark(key, raw)
	return mark, err == nil, err
}

// unreadable reports whether an error concerns one record: it is damaged, or an index leads
// to one that is missing. Others are errors of the store or of the caller.
func unreadable(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, session.ErrNotFound)
}

// userKey is the key of a session in the indices by user.
func userKey(userID string, id sid.ID) []byte {
	key := make([]byte, 0, len(userID)+1+len(id))
	key = append(key, userID...)
	key = append(key, 0)
	return append(key, id[:]...)
}

// maxName bounds what becomes part of a key. It is far above what the domains allow.
const maxName = 4096

// validUser reports whether a user id can be part of a key.
func validUser(id string) bool {
	return id != "" && strings.IndexByte(id, 0) < 0 && len(id) <= maxName
}
