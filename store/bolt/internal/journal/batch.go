package journal

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
)

// Batch is what one transaction writes. If it is not committed, the [Journal] is of no use
// any more.
type Batch struct {
	j       *Journal
	tx      *bbolt.Tx
	at      uint64 // number of the transaction
	oldest  uint64 // no reader's snapshot is older
	changed []entry
}

// entry is a state that was set.
type entry struct {
	id    sid.ID
	state State
}

// Begin begins a batch in a transaction that can write.
func (j *Journal) Begin(tx *bbolt.Tx) *Batch {
	at := uint64(tx.ID()) //nolint:gosec // never negative
	b := &Batch{j: j, tx: tx, at: at, oldest: j.readers.oldest(at - 1)}
	j.overlay.release(b.oldest)
	return b
}

// Set sets the state of a session that the bucket of states has.
func (b *Batch) Set(id sid.ID, state State) {
	b.changed = append(b.changed, entry{id: id, state: state})
	b.j.overlay.put(id, state, b.at, b.oldest)
}

// Write appends the states that were set, and folds some of the older ones.
func (b *Batch) Write() error {
	if len(b.changed) == 0 {
		return nil
	}
	j := b.j
	if err := b.append(); err != nil {
		return err
	}
	if j.overlay.sealed != nil {
		if err := b.fold(foldRatio * len(b.changed)); err != nil {
			return err
		}
	}
	if j.length < j.limit {
		return nil
	}
	if err := b.fold(len(j.fold)); err != nil {
		return err
	}
	j.seal()
	j.active, j.length, j.next = j.other(), 0, 1
	j.run++
	return nil
}

func (b *Batch) append() error {
	j := b.j
	into := b.tx.Bucket(j.active)
	into.FillPercent = 1
	if j.length == 0 {
		if err := into.SetSequence(j.run); err != nil {
			return err
		}
	}
	j.length += len(b.changed)
	for changed := range slices.Chunk(b.changed, chunkLen) {
		chunk := make([]byte, 0, len(changed)*entryLen)
		for _, c := range changed {
			chunk = append(append(chunk, c.id[:]...), c.state[:]...)
		}
		if err := into.Put(binary.BigEndian.AppendUint64(nil, j.next), chunk); err != nil {
			return err
		}
		j.next++
	}
	return nil
}

// fold puts up to n of the sealed states where they belong.
func (b *Batch) fold(n int) error {
	j := b.j
	if j.overlay.sealed == nil {
		return nil
	}
	states := b.tx.Bucket(j.names.States)
	states.FillPercent = 1
	n = min(n, len(j.fold))
	for _, id := range j.fold[:n] {
		if states.Get(id[:]) == nil {
			continue // it has ended
		}
		state := j.overlay.sealed.states[id].state
		if err := states.Put(id[:], state[:]); err != nil {
			return err
		}
	}
	if j.fold = j.fold[n:]; len(j.fold) > 0 {
		return nil
	}
	j.overlay.retire(b.at)
	if err := b.tx.DeleteBucket(j.other()); err != nil {
		return err
	}
	_, err := b.tx.CreateBucket(j.other())
	return err
}
