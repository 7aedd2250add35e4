package list

import (
	"math/bits"
	"sync/atomic"
)

// slot is one entry of a table: 32 bytes. A slot in use never changes its entry, so that
// readers need no lock.
type slot struct {
	// hash gives the entry's place and, for a mark, stands for its name; 0 while the slot is
	// free. It is stored last.
	hash atomic.Uint64
	// hi and lo are the session identifier. Of a mark they may grow: hi is stored
	// before lo and loaded after it, so that a reader between the two sees a mark that is
	// at least the old one.
	hi, lo atomic.Uint64
	until  atomic.Int64 // Unix seconds
}

// raise moves a mark up to an identifier, never down.
func (s *slot) raise(hi, lo uint64) {
	oldHi, oldLo := s.hi.Load(), s.lo.Load()
	if hi > oldHi || hi == oldHi && lo > oldLo {
		s.hi.Store(hi)
		s.lo.Store(lo)
	}
}

// covers reports whether the identifier is at or below the mark.
func (s *slot) covers(hi, lo uint64) bool {
	markLo := s.lo.Load()
	markHi := s.hi.Load()
	return hi < markHi || hi == markHi && lo <= markLo
}

// table is an open-addressed hash table with linear probing. One writer adds to it while many
// readers read. Nothing is removed from it: the writer replaces it by a new table.
type table struct {
	slots []slot
	used  int // entries; only the writer uses it
}

// The load at which a table is replaced, and the load of its successor, in twentieths. An
// entry then takes 32/0.75 = 43 to 32/0.55 = 58 bytes.
const (
	fullLoad  = 15
	freshLoad = 11
	loadUnit  = 20

	emptySlots = 8 // slots beyond those for the expected entries
)

// newTable returns a table with room for n entries and those that follow.
func newTable(n int) *table {
	return &table{slots: make([]slot, n*loadUnit/freshLoad+emptySlots)}
}

func (t *table) full() bool { return (t.used+1)*loadUnit > len(t.slots)*fullLoad }

// home is where the search for a hash begins.
func (t *table) home(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(hi) //nolint:gosec // less than the length
}

// mark returns the slot of a hash, nil if there is none.
func (t *table) mark(hash uint64) *slot {
	for i := t.home(hash); ; {
		s := &t.slots[i]
		switch s.hash.Load() {
		case hash:
			return s
		case 0:
			return nil
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

// session returns the slot of a hash and an identifier, nil if there is none.
func (t *table) session(hash, hi, lo uint64) *slot {
	for i := t.home(hash); ; {
		s := &t.slots[i]
		found := s.hash.Load()
		if found == 0 {
			return nil
		}
		if found == hash && s.lo.Load() == lo && s.hi.Load() == hi {
			return s
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

// add writes an entry into a free slot. The table must not be full and must not have the
// entry.
func (t *table) add(hash, hi, lo uint64, until int64) {
	for i := t.home(hash); ; {
		if s := &t.slots[i]; s.hash.Load() == 0 {
			s.hi.Store(hi)
			s.lo.Store(lo)
			s.until.Store(until)
			s.hash.Store(hash)
			t.used++
			return
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

// live counts the entries that end at or after a time.
func (t *table) live(since int64) int {
	n := 0
	for i := range t.slots {
		if s := &t.slots[i]; s.hash.Load() != 0 && s.until.Load() >= since {
			n++
		}
	}
	return n
}

// successor returns a table of the entries that end at or after a time, with room for
// more of them.
func (t *table) successor(since int64, more int) *table {
	next := newTable(t.live(since) + more)
	for i := range t.slots {
		s := &t.slots[i]
		if hash, until := s.hash.Load(), s.until.Load(); hash != 0 && until >= since {
			next.add(hash, s.hi.Load(), s.lo.Load(), until)
		}
	}
	return next
}
