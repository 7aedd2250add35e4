package bolt

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
)

// A refresh changes the state of one session, and sessions that are refreshed together
// lie all over the states bucket: a commit would rewrite a page, and the page above it,
// for each. So a commit appends the new states to a journal, which is a few pages however
// many sessions there are, and keeps them in memory as the overlay. A full journal is
// sealed and folded into the bucket in order of the identifiers, a little with each
// commit, while the other journal takes what is new. What a page of the bucket holds is
// then rewritten once for all that has changed on it.
//
// The journal is part of the same file and of the same transactions, so it needs no
// recovery of its own: opening reads it into the overlay. An entry of a session that has
// ended since is not applied; a session is live while the states bucket has its key.

const (
	// journalLen is how many states fill a journal. It bounds the overlay's memory to
	// some 15 MB a journal, and sets how many changes share a page when they are folded:
	// seven of a million sessions.
	journalLen = 1 << 17
	// chunkLen is how many states share a key, so that pages of the journal are full.
	chunkLen = 16
	// foldRatio is how many states are folded for each that is added. It is above one, so
	// that a journal is folded before the other one is full.
	foldRatio = 2
)

const journaledLen = 16 + stateLen // sid | state

// journal is the committer's side of it.
type journal struct {
	overlay overlay
	readers readers
	limit   int // states that fill a journal

	active bucket   // where new ones go
	length int      // how many it has
	next   uint64   // key of the next chunk
	run    uint64   // number of the active journal: of two, the lower one is folded first
	fold   []sid.ID // what is to be folded yet of the other journal, in order
}

func newJournal(limit int) *journal {
	if limit == 0 {
		limit = journalLen
	}
	return &journal{
		overlay: overlay{active: newGeneration()},
		limit:   limit, active: journalA, run: 1,
	}
}

// other returns the journal beside b.
func other(b bucket) bucket { return journalA + journalB - b }

// load reads the journals of a file that is being opened.
func (j *journal) load(tx *bbolt.Tx) error {
	old, now := journalA, journalB
	if tx.Bucket(old.name()).Sequence() > tx.Bucket(now.name()).Sequence() {
		old, now = now, old
	}
	n, _, err := j.replay(tx.Bucket(old.name()))
	if err != nil {
		return err
	}
	if n > 0 {
		j.seal()
	}
	j.active, j.run = now, max(tx.Bucket(now.name()).Sequence(), 1)
	var last uint64
	j.length, last, err = j.replay(tx.Bucket(now.name()))
	j.next = last + 1
	return err
}

// replay reads one journal into the overlay.
func (j *journal) replay(b *bbolt.Bucket) (n int, last uint64, err error) {
	err = b.ForEach(func(key, chunk []byte) error {
		if len(key) != 8 || len(chunk) == 0 || len(chunk)%journaledLen != 0 {
			return fmt.Errorf("%w: journal entry %x", ErrDamaged, key)
		}
		last = binary.BigEndian.Uint64(key)
		for ; len(chunk) > 0; chunk = chunk[journaledLen:] {
			id := sid.ID(chunk[:16])
			if _, err := decodeState(id, chunk[16:journaledLen]); err != nil {
				return err
			}
			j.overlay.put(id, rawState(chunk[16:journaledLen]), 0, 0)
			n++
		}
		return nil
	})
	return n, last, err
}

// seal makes the active journal the one to be folded.
func (j *journal) seal() {
	j.overlay.seal()
	j.fold = make([]sid.ID, 0, len(j.overlay.sealed.states))
	for id := range j.overlay.sealed.states {
		j.fold = append(j.fold, id)
	}
	slices.SortFunc(j.fold, sid.ID.Compare)
}

// journal appends the states that the batch has set, and folds some of the older ones.
func (b *batch) journal() error {
	j := b.h.journal
	if err := j.append(b); err != nil {
		return err
	}
	if j.overlay.sealed != nil {
		if err := j.foldSome(b, foldRatio*len(b.changed)); err != nil {
			return err
		}
	}
	if j.length < j.limit {
		return nil
	}
	if j.overlay.sealed != nil {
		if err := j.foldSome(b, len(j.fold)); err != nil {
			return err
		}
	}
	j.seal()
	j.active, j.length, j.next = other(j.active), 0, 1
	j.run++
	return nil
}

func (j *journal) append(b *batch) error {
	into := b.bucket(j.active)
	if j.length == 0 {
		if err := into.SetSequence(j.run); err != nil {
			return err
		}
	}
	j.length += len(b.changed)
	for changed := range slices.Chunk(b.changed, chunkLen) {
		chunk := make([]byte, 0, len(changed)*journaledLen)
		for _, c := range changed {
			chunk = append(append(chunk, c.id[:]...), c.state[:]...)
		}
		if err := into.Put(numberKey(j.next), chunk); err != nil {
			return err
		}
		j.next++
	}
	return nil
}

// foldSome puts up to n of the sealed states where they belong.
func (j *journal) foldSome(b *batch, n int) error {
	n = min(n, len(j.fold))
	for _, id := range j.fold[:n] {
		if !b.has(states, id[:]) {
			continue // ended
		}
		if err := b.put(states, id[:], j.overlay.sealed.states[id].state[:]); err != nil {
			return err
		}
	}
	if j.fold = j.fold[n:]; len(j.fold) > 0 {
		return nil
	}
	j.overlay.retire(b.at)
	return b.empty(other(j.active))
}

// empty removes all that a bucket has.
func (b *batch) empty(name bucket) error {
	b.buckets[name], b.cursors[name] = nil, nil
	err := b.tx.DeleteBucket(name.name())
	if err != nil {
		return err
	}
	_, err = b.tx.CreateBucket(name.name())
	return err
}
