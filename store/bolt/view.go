package bolt

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"issuer.example/session"
)

// view reads within one bbolt transaction, by one goroutine at a time.
type view struct {
	h       *handle
	tx      *bbolt.Tx
	at      uint64 // number of the transaction that it sees the outcome of
	buckets [buckets]*bbolt.Bucket
	cursors [buckets]*bbolt.Cursor
	// noMarks is true once no mark was found at all. Most stores have none most of the time,
	// and then a session costs no look-ups of marks.
	noMarks bool
	// fault is why the file could not be read. Nothing that was read counts then.
	fault error
}

// view runs fn on the newest snapshot, and returns once that is durable.
func (db *DB) view(ctx context.Context, fn func(*view) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h := db.handle.Load()
	if h == nil {
		return db.unavailable()
	}
	seen, fault, err := h.read(fn)
	if fault != nil {
		db.fail(h, fault)
		return session.ErrUnavailable
	}
	if waiting := h.durable.wait(ctx, seen); waiting != nil {
		return db.notDurable(waiting)
	}
	return err
}

// notDurable is the answer to a caller whose transaction is not known to be durable.
func (db *DB) notDurable(why error) error {
	if why == errAbandoned { //nolint:errorlint // it is never wrapped
		return db.unavailable()
	}
	return fmt.Errorf("%w: the disk has not confirmed it yet: %w", session.ErrUnavailable, why)
}

// read runs fn on the newest snapshot and returns the number of its transaction.
func (h *handle) read(fn func(*view) error) (seen uint64, fault, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	r := h.journal.Enter(h.durable.reached)
	defer h.journal.Leave(r)
	t, fault := h.transaction(false)
	if fault != nil {
		return 0, fault, nil
	}
	defer h.endRead(t)
	v := &view{h: h, tx: t, at: uint64(t.ID())} //nolint:gosec // never negative
	err = v.run(fn)
	return v.at, v.fault, err
}

func (v *view) run(fn func(*view) error) (err error) {
	defer v.catch(&err)
	return fn(v)
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
