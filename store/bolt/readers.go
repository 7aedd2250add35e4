package bolt

import (
	"sync"
	"time"
)

// readers are the snapshots in use, in the order in which they were taken.
type readers struct {
	mu          sync.Mutex
	first, last *reader
}

// reader is one of them.
type reader struct {
	low          uint64 // its snapshot is of this transaction or of a later one
	since        time.Time
	older, newer *reader
}

// enter adds a reader, before it takes its snapshot.
func (r *readers) enter(durable *watermark) *reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Under the lock, so that they stand in the order of low.
	e := &reader{low: durable.reached(), since: time.Now(), older: r.last}
	if r.last == nil {
		r.first = e
	} else {
		r.last.newer = e
	}
	r.last = e
	return e
}

func (r *readers) leave(e *reader) {
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

// oldest returns the transaction that no snapshot is older than: at most limit.
func (r *readers) oldest(limit uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		return limit
	}
	return min(limit, r.first.low)
}

// since is when the oldest reader began; zero if there is none.
func (r *readers) since() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		return time.Time{}
	}
	return r.first.since
}
