package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
)

var (
	_ fact.Log      = (*DB)(nil)
	_ fact.Recorder = (*DB)(nil)
)

// Record implements [fact.Recorder].
func (db *DB) Record(ctx context.Context, f fact.Fact) error {
	if f.Kind != fact.Administered {
		return fmt.Errorf("bolt: a fact of kind %s is written with what it records", f.Kind)
	}
	if err := checkFact(&f); err != nil {
		return err
	}
	return db.update(ctx, func(t *tx) error {
		t.later(func() error {
			t.addFact(f, session.Notice{})
			return nil
		})
		return nil
	})
}

// addFact adds a fact to those of the batch, with its numbers, and returns it.
func (b *batch) addFact(f fact.Fact, n session.Notice) fact.Fact {
	b.counters.fact++
	f.Number, f.Revocation, f.Until = b.counters.fact, 0, fromMillis(0)
	if n.Life > 0 {
		b.counters.revocation++
		b.noteTimes(n.Issued)
		latest := max(millis(f.At), b.counters.newest)
		life := (n.Life + time.Millisecond - 1).Milliseconds() // never shorter
		f.Revocation, f.Until = b.counters.revocation, fromMillis(min(latest+life, maxMillis))
	}
	b.facts = append(b.facts, f)
	b.written = max(b.written, millis(f.At))
	return f
}

// putFacts stores the facts of the batch and numbers the revocations among them.
func (b *batch) putFacts() error {
	for chunk := range slices.Chunk(b.facts, chunkFacts) {
		if err := b.put(facts, numberKey(chunk[0].Number), encodeChunk(chunk, b.written)); err != nil {
			return err
		}
		for i := range chunk {
			if chunk[i].Revocation == 0 {
				continue
			}
			err := b.put(revocations, numberKey(chunk[i].Revocation), numberKey(chunk[i].Number))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Head implements [fact.Log].
func (db *DB) Head(ctx context.Context) (head uint64, err error) {
	err = db.view(ctx, func(v *view) error {
		counters, err := v.counters()
		head = counters.fact
		return err
	})
	return head, err
}

// Facts implements [fact.Log].
func (db *DB) Facts(ctx context.Context, after uint64, limit int) (list []fact.Fact, first uint64, err error) {
	err = db.view(ctx, func(v *view) (err error) {
		list, first, err = v.facts(after, limit)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return list, first, nil
}

func (v *view) facts(after uint64, limit int) (list []fact.Fact, first uint64, err error) {
	counters, err := v.counters()
	if err != nil {
		return nil, 0, err
	}
	if first, err = v.firstNumber(facts, counters.fact); err != nil || after >= counters.fact {
		return nil, first, err
	}
	c := v.cursor(facts)
	for k, raw := seekChunk(c, after+1); k != nil && len(list) < limit; k, raw = c.Next() {
		chunk, err := decodeChunk(k, raw)
		if err != nil {
			v.h.log.Error("facts are left out of the journal: they are damaged", slog.Any("error", err))
			continue
		}
		for i := range chunk {
			if chunk[i].Number > after && len(list) < limit {
				list = append(list, chunk[i])
			}
		}
	}
	return list, first, nil
}

// Revocations implements [fact.Log].
func (db *DB) Revocations(
	ctx context.Context, after uint64, limit int,
) (list []revocation.Entry, first uint64, err error) {
	err = db.view(ctx, func(v *view) (err error) {
		list, first, err = v.revocations(after, limit)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return list, first, nil
}

func (v *view) revocations(after uint64, limit int) (list []revocation.Entry, first uint64, err error) {
	counters, err := v.counters()
	if err != nil {
		return nil, 0, err
	}
	if first, err = v.firstNumber(revocations, counters.revocation); err != nil || after >= counters.revocation {
		return nil, first, err
	}
	reader := factReader{view: v}
	c := v.cursor(revocations)
	for k, raw := c.Seek(numberKey(after + 1)); k != nil && len(list) < limit; k, raw = c.Next() {
		f, err := reader.revocation(k, raw)
		if err != nil {
			return nil, 0, err
		}
		entry, _ := f.Entry()
		list = append(list, entry)
	}
	return list, first, nil
}

func (v *view) counters() (counters, error) {
	return decodeCounters(v.get(meta, []byte(keyCounters)))
}

// firstNumber is the first key of a numbered bucket, or the number that comes next after
// newest when it has none.
func (v *view) firstNumber(b bucket, newest uint64) (uint64, error) {
	k, _ := v.cursor(b).First()
	switch {
	case k == nil:
		return newest + 1, nil
	case len(k) != 8:
		return 0, fmt.Errorf("%w: a key of %d bytes in bucket %s", ErrDamaged, len(k), b.name())
	}
	return binary.BigEndian.Uint64(k), nil
}

// seekChunk moves to the chunk that holds a fact, or to the first one after it.
func seekChunk(c *bbolt.Cursor, number uint64) (key, raw []byte) {
	key, raw = c.Seek(numberKey(number))
	switch {
	case key == nil:
		return c.Last()
	case bytes.Equal(key, numberKey(number)):
		return key, raw
	}
	if key, raw = c.Prev(); key == nil {
		return c.First()
	}
	return key, raw
}

// factReader reads single facts. It keeps the chunk that it read last.
type factReader struct {
	view  *view
	chunk []fact.Fact
}

var errNoFact = errors.New("no such fact")

// revocation reads the fact that an entry of the index leads to.
func (r *factReader) revocation(key, value []byte) (fact.Fact, error) {
	if len(key) != 8 || len(value) != 8 {
		return fact.Fact{}, fmt.Errorf("%w: revocation %x", ErrDamaged, key)
	}
	f, err := r.fact(binary.BigEndian.Uint64(value))
	if err == nil && f.Revocation != binary.BigEndian.Uint64(key) {
		err = fmt.Errorf("%w: fact %d is revocation %d", ErrDamaged, f.Number, f.Revocation)
	}
	if err != nil {
		return fact.Fact{}, fmt.Errorf("revocation %d: %w", binary.BigEndian.Uint64(key), err)
	}
	return f, nil
}

func (r *factReader) fact(number uint64) (fact.Fact, error) {
	if len(r.chunk) == 0 || number < r.chunk[0].Number || number-r.chunk[0].Number >= uint64(len(r.chunk)) {
		key, raw := seekChunk(r.view.cursor(facts), number)
		if key == nil {
			return fact.Fact{}, fmt.Errorf("%w: %w", ErrDamaged, errNoFact)
		}
		chunk, err := decodeChunk(key, raw)
		if err != nil {
			return fact.Fact{}, err
		}
		r.chunk = chunk
	}
	i := number - r.chunk[0].Number
	if i >= uint64(len(r.chunk)) {
		return fact.Fact{}, fmt.Errorf("%w: %w", ErrDamaged, errNoFact)
	}
	return r.chunk[i], nil
}
