// Package journal keeps the newest states of sessions, so that a commit of many refreshes
// writes few pages.
//
// A refresh changes the state of one session, and sessions that are refreshed together lie
// all over the bucket of states: a commit would rewrite a page, and the page above it, for
// each. So a commit appends the new states to a journal, which is a few pages however many
// sessions there are, and keeps them in memory as the overlay. A full journal is sealed and
// folded into the bucket in order of the identifiers, a little with each commit, while the
// other journal takes what is new. What a page of the bucket holds is then rewritten once
// for all that has changed on it.
//
// The journals are buckets of the same file and are written in the same transactions, so
// they need no recovery of their own: opening reads them into the overlay. A state of a
// session that has ended since is not applied: a session is live while the bucket of states
// has its key.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
)

// StateLen is the width of a state. It is fixed, so that folding one never moves what lies
// beside it on the page.
const StateLen = 44

// State is a state as it is stored.
type State [StateLen]byte

const (
	// DefaultLimit is how many states fill a journal. It bounds the overlay's memory to
	// some 15 MB a journal, and sets how many changes share a page when they are folded:
	// seven of a million sessions.
	DefaultLimit = 1 << 17
	// chunkLen is how many states share a key, so that pages of the journal are full.
	chunkLen = 16
	// foldRatio is how many states are folded for each that is added. It is above one, so
	// that a journal is folded before the other one is full.
	foldRatio = 2

	entryLen = len(sid.ID{}) + StateLen // sid | state
)

// ErrEntry means that a journal holds what was never written to one.
var ErrEntry = errors.New("journal: unreadable entry")

// Buckets are the names of the buckets that a journal uses.
type Buckets struct {
	States []byte // sid → state
	A, B   []byte // number (8) → up to 16 times sid ‖ state
}

// Journal is both journals of one open file. Its writers (Begin and [Batch]) are one
// goroutine; readers can be many.
type Journal struct {
	overlay overlay
	readers readers
	names   Buckets
	limit   int // states that fill a journal

	active []byte   // name of the journal that takes new states
	length int      // how many it has
	next   uint64   // key of its next chunk
	run    uint64   // its number, which is the bucket's sequence: of two, the lower one is folded first
	fold   []sid.ID // what is to be folded yet of the other journal, in order
}

// New returns the journal of a file that is about to be loaded. A limit of 0 is
// [DefaultLimit].
func New(names Buckets, limit int) *Journal {
	if limit == 0 {
		limit = DefaultLimit
	}
	return &Journal{overlay: overlay{active: newGeneration()}, names: names, limit: limit, active: names.A, run: 1}
}

// other returns the name of the journal that is not active.
func (j *Journal) other() []byte {
	if string(j.active) == string(j.names.A) {
		return j.names.B
	}
	return j.names.A
}

// Load reads the journals of a file. check says whether a state can be one.
func (j *Journal) Load(tx *bbolt.Tx, check func(sid.ID, []byte) error) error {
	older, newer := j.names.A, j.names.B
	if tx.Bucket(older).Sequence() > tx.Bucket(newer).Sequence() {
		older, newer = newer, older
	}
	n, _, err := j.replay(tx.Bucket(older), check)
	if err != nil {
		return err
	}
	if n > 0 {
		j.seal()
	}
	j.active, j.run = newer, max(tx.Bucket(newer).Sequence(), 1)
	var last uint64
	j.length, last, err = j.replay(tx.Bucket(newer), check)
	j.next = last + 1
	return err
}

// replay reads one journal into the overlay.
func (j *Journal) replay(b *bbolt.Bucket, check func(sid.ID, []byte) error) (n int, last uint64, err error) {
	err = b.ForEach(func(key, chunk []byte) error {
		if len(key) != 8 || len(chunk) == 0 || len(chunk)%entryLen != 0 {
			return fmt.Errorf("%w %x", ErrEntry, key)
		}
		last = binary.BigEndian.Uint64(key)
		for ; len(chunk) > 0; chunk = chunk[entryLen:] {
			id, state := sid.ID(chunk[:16]), chunk[16:entryLen]
			if err := check(id, state); err != nil {
				return err
			}
			j.overlay.put(id, State(state), 0, 0)
			n++
		}
		return nil
	})
	return n, last, err
}

// seal makes the active journal the one to be folded.
func (j *Journal) seal() {
	j.overlay.seal()
	j.fold = make([]sid.ID, 0, len(j.overlay.sealed.states))
	for id := range j.overlay.sealed.states {
		j.fold = append(j.fold, id)
	}
	slices.SortFunc(j.fold, sid.ID.Compare)
}

// State returns the state of a session that a snapshot of transaction at sees, or nil if it
// is the one in the bucket of states.
func (j *Journal) State(id sid.ID, at uint64) *State { return j.overlay.at(id, at) }

// Retired is how many folded journals are kept in memory for readers.
func (j *Journal) Retired() int {
	j.overlay.mu.RLock()
	defer j.overlay.mu.RUnlock()
	return len(j.overlay.retired)
}
