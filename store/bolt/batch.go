package bolt

import (
	"fmt"
	"runtime/debug"

	"issuer.example/fact"
	"issuer.example/store/bolt/internal/journal"
)

// batch is the bbolt transaction that a group of callers shares.
type batch struct {
	view
	counters counters // as they will be after the commit
	journal  *journal.Batch
	facts    []fact.Fact // those to be written with this commit
	written  int64       // the time from which they are kept: the latest that an operation gave, in milliseconds
	dirty    bool
}

// tx is one caller's transaction within a batch. What it writes waits until its function
// has returned without an error, so that a caller that fails leaves no trace.
type tx struct {
	*batch
	writes []func() error
}

// later adds a write. Everything that can be refused must have been refused before: an
// error of a write is one of the store, and fails the batch.
func (t *tx) later(write func() error) { t.writes = append(t.writes, write) }

// begin opens a batch. The caller commits it or rolls it back.
func (h *handle) begin() (b *batch, err error) {
	t, err := h.transaction(true)
	if err != nil {
		return nil, err
	}
	at := uint64(t.ID()) //nolint:gosec // never negative
	b = &batch{view: view{h: h, tx: t, at: at}, counters: h.counters, journal: h.journal.Begin(t)}
	return b, nil
}

// run runs one caller's function and, if it returns nil, applies its writes.
// The first error concerns this caller only; the second one fails the batch.
func (b *batch) run(fn func(*tx) error) (err, fatal error) {
	t := &tx{batch: b}
	err = call(fn, t)
	if b.fault != nil {
		return err, b.fault
	}
	if err != nil || len(t.writes) == 0 {
		return err, nil
	}
	b.dirty = true
	return nil, t.writeAll()
}

func (t *tx) writeAll() (err error) {
	defer recovered("writing", &err)
	for _, write := range t.writes {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// call runs a caller's function. A panic in it is one of bbolt, or a memory fault.
func call(fn func(*tx) error, t *tx) (err error) {
	defer t.catch(&err)
	return fn(t)
}

// guard calls a function that the store was given. A panic of it is an error of its caller.
func guard[T any](fn func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return fn()
}

// recovered makes a panic an error.
func recovered(doing string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: %v", doing, p)
	}
}

// commit makes the batch durable.
func (b *batch) commit() (err error) {
	defer recovered("committing", &err)
	if err := b.journal.Write(); err != nil {
		return err
	}
	if err := b.putFacts(); err != nil {
		return err
	}
	if b.counters != b.h.counters {
		if err := b.put(meta, []byte(keyCounters), b.counters.encode()); err != nil {
			return err
		}
	}
	return b.h.commit(b.tx)
}

// rollback undoes the batch. What fails in it has failed before. If bbolt has been left
// locked, the goroutine of [handle.commit] may still be at work on the transaction: then it is
// left alone, like the rest of the handle.
func (b *batch) rollback() (err error) {
	if b.h.isStuck() {
		return errStuck
	}
	defer recovered("rolling back", &err)
	return b.tx.Rollback()
}

func (b *batch) put(in bucket, key, value []byte) error {
	return b.bucket(in).Put(key, value)
}

func (b *batch) delete(from bucket, key []byte) error {
	return b.bucket(from).Delete(key)
}

// empty removes all that a bucket has.
func (b *batch) empty(name bucket) error {
	b.buckets[name], b.cursors[name] = nil, nil
	if err := b.tx.DeleteBucket(name.name()); err != nil {
		return err
	}
	_, err := b.tx.CreateBucket(name.name())
	return err
}
