package journal

import (
	"sync"
	"time"
)

// readers are the snapshots in use, in the order in which they were taken.
type readers struct {
	mu          sync.Mutex
	first, last *Reader
}

// Reader is a snapshot in use.
type Reader struct {
	low          uint64 // its snapshot is of this transaction or of a later one
	since        time.Time
	older, newer *Reader
}

// Enter adds a reader, before it takes its snapshot: that is of transaction durable() or of
// a later one. The reader is to be given to [Journal.Leave].
func (j *Journal) Enter(durable func() uint64) *Reader {
	r := &j.readers
	r.mu.Lock()
	defer r.mu.Unlock()
	// Asked under the lock, so that readers stand in the order of low.
	e := &Reader{low: durable(), since: time.Now(), older: r.last}
	if r.last == nil {
		r.first = e
	} else {
		r.last.newer = e
	}
	r.last = e
	return e
}

// Leave removes a reader.
func (j *Journal) Leave(e *Reader) {
	r := &j.readers
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.older == nil {
		r.first = e.newer
	} else {
		e.older.newer = e.newer
	}
	if e.newer == nil {
		r.last = e.older
	} else {
		e.newer.older = e.older
	}
}

// OldestReader is when the oldest reader entered; zero if there is none.
func (j *Journal) OldestReader() time.Time {
	r := &j.readers
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		return time.Time{}
	}
	return r.first.since
}

// oldest returns the transaction that no snapshot is older than: at most limit.
func (r *readers) oldest(limit uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		return limit
	}
	return min(limit, r.first.low)
}
