package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/fact"
	"issuer.example/store"
	"issuer.example/store/bolt/internal/file"
	"issuer.example/store/bolt/internal/journal"
)

// fillAtOnce is how many items are written in one transaction, which is held in memory.
const fillAtOnce = 1 << 16

// Import makes a data file that fn fills. It is [ErrExists] if there is one. The file gets its name
// when fn has returned nil and everything in it adds up; until then, it is one beside it with
// the ending ".moving", which the next Import replaces.
func Import(ctx context.Context, path string, fn func(store.Target) error) error {
	log := slog.New(slog.DiscardHandler)
	err := file.Fill(path, path+".moving", log, func(db *bbolt.DB) error {
		h, err := newFile(db, log)
		if err != nil {
			return err
		}
		if err := fn(&target{archive: archive{h: h}}); err != nil {
			return err
		}
		return h.audit(ctx)
	})
	if err != nil {
		return fmt.Errorf("making store %s: %w", path, err)
	}
	return nil
}

// newFile makes an empty store of an empty bbolt file that nobody else uses.
func newFile(db *bbolt.DB, log *slog.Logger) (*handle, error) {
	if err := db.Update(createBuckets); err != nil {
		return nil, err
	}
	h := &handle{bolt: db, journal: newJournal(0), log: log, stuck: make(chan struct{})}
	var err error
	if h.codec, err = newCodec(); err != nil {
		return nil, err
	}
	return h, h.view(h.load)
}

// target is a file that is being filled.
type target struct {
	archive

	b       *batch
	pending []fact.Fact       // facts that are to share a chunk
	added   [buckets][][]byte // keys without values
	n       int               // items in the batch
	now     int64
	// first is the number of the oldest revocation that is kept.
	first uint64
}

// Fill implements [store.Target].
func (t *target) Fill(ctx context.Context, items iter.Seq2[store.Item, error]) (err error) {
	t.now = millis(time.Now())
	if t.b, err = t.h.begin(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = t.b.rollback() // of a file that is discarded
		}
	}()
	for item, err := range items {
		if err != nil {
			return err
		}
		if err := t.put(item); err != nil {
			return err
		}
		if t.n++; t.n < fillAtOnce {
			continue
		}
		if err := errors.Join(ctx.Err(), t.commit()); err != nil {
			return err
		}
		if t.b, err = t.h.begin(); err != nil {
			return err
		}
	}
	if err := t.commit(); err != nil {
		return err
	}
	return t.inspect(ctx)
}

// commit ends the batch.
func (t *target) commit() (err error) {
	defer recovered("writing", &err)
	if err := t.putFacts(); err != nil {
		return err
	}
	for b, keys := range t.added {
		slices.SortFunc(keys, bytes.Compare) // neighbours share a page
		for _, key := range keys {
			if err := t.b.put(bucket(b), key, nil); err != nil {
				return err
			}
		}
		t.added[b] = keys[:0]
	}
	if err := t.b.commit(); err != nil {
		return err
	}
	t.h.counters, t.n = t.b.counters, 0
	return nil
}

func (t *target) put(i store.Item) (err error) {
	defer recovered("writing", &err)
	switch {
	case i.Totals != nil:
		t.putTotals(i.Totals)
	case i.Keys != nil && i.Keys.Version > 0:
		return t.b.put(keySet, []byte(keyDocument), encodeKeys(*i.Keys))
	case i.Mark != nil:
		return t.b.putMark(&markRow{Mark: i.Mark.Mark, settled: i.Mark.Settled})
	case i.Fact != nil:
		return t.putFact(i.Fact)
	case i.Session != nil:
		return t.putSession(i.Session)
	}
	return nil
}

func (t *target) putTotals(totals *store.Totals) {
	t.first = totals.FirstRevocation
	t.b.counters = counters{
		revocation: totals.Revocation, last: totals.Newest, fact: totals.Fact, newest: millis(totals.Latest),
	}
}

// putFact adds a fact to the chunk, which is written when it is full.
func (t *target) putFact(f *fact.Fact) error {
	if t.pending = append(t.pending, *f); len(t.pending) < chunkFacts {
		return nil
	}
	return t.putFacts()
}

// putFacts writes the chunk. Its facts count as written now, so that their readers have all the time
// that facts are kept.
func (t *target) putFacts() error {
	if len(t.pending) == 0 {
		return nil
	}
	if err := t.b.put(facts, numberKey(t.pending[0].Number), encodeChunk(t.pending, t.now)); err != nil {
		return err
	}
	for i := range t.pending {
		f := &t.pending[i]
		if f.Revocation == 0 || f.Revocation < t.first {
			continue
		}
		if err := t.b.put(revocations, numberKey(f.Revocation), numberKey(f.Number)); err != nil {
			return err
		}
	}
	t.pending = t.pending[:0]
	return nil
}

func (t *target) putSession(s *store.Session) error {
	id, userID := s.Session.ID, s.Session.User.ID
	if !validUser(userID) {
		return fmt.Errorf("session %s: %w", id, errUserID)
	}
	raw, state, _, err := t.h.codec.store(&s.Session, &s.State)
	if err != nil {
		return err
	}
	t.added[byDue] = append(t.added[byDue], dueKey(s.DueAt, id))
	return errors.Join(t.b.put(sessions, id[:], raw), t.putState(s, state))
}

func (t *target) putState(s *store.Session, state journal.State) error {
	id := s.Session.ID
	key := userKey(s.Session.User.ID, id)
	if s.End.IsZero() {
		t.b.counters.live++
		t.added[byUser] = append(t.added[byUser], key)
		return t.b.put(states, id[:], state[:])
	}
	t.added[byUserEnded] = append(t.added[byUserEnded], key)
	return t.b.put(ends, id[:], append(state[:], encodeEnd(s.End)...))
}
