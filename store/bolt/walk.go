package bolt

import (
	"bytes"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
)

// walk goes through the identifiers of a bucket downwards: newest sessions first.
type walk struct {
	cursor *bbolt.Cursor
	prefix []byte // what stands before the identifiers
	key    []byte // where it stands; nil after the last
}

// walkAll goes through a bucket whose keys are identifiers, from the newest one that is not
// greater than from; the zero from stands for the newest of all.
func (v *view) walkAll(b bucket, from sid.ID) *walk {
	return v.newWalk(b, nil, from)
}

// walkUser goes through an index by user in the same way.
func (v *view) walkUser(b bucket, userID string, from sid.ID) *walk {
	if !validUser(userID) {
		return &walk{} // no session has such a user, and it could read like another's key
	}
	return v.newWalk(b, append([]byte(userID), 0), from)
}

func (v *view) newWalk(b bucket, prefix []byte, from sid.ID) *walk {
	w := &walk{cursor: v.bucket(b).Cursor(), prefix: prefix}
	switch {
	case !from.IsZero():
		above := append(append(bytes.Clone(prefix), from[:]...), 0)
		w.key = seekBefore(w.cursor, above)
	case len(prefix) > 0:
		w.key = seekBefore(w.cursor, append(bytes.Clone(prefix[:len(prefix)-1]), 1))
	default:
		w.key, _ = w.cursor.Last()
	}
	return w
}

// next returns the next identifier, or false. It is zero for a key that has none, which is
// damaged: no session has that one.
func (w *walk) next() (id sid.ID, ok bool) {
	if w.key == nil || !bytes.HasPrefix(w.key, w.prefix) {
		return id, false
	}
	if rest := w.key[len(w.prefix):]; len(rest) == len(id) {
		id = sid.ID(rest)
	}
	w.key, _ = w.cursor.Prev()
	return id, true
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
