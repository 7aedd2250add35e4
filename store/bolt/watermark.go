package bolt

import (
	"sync"
)

// watermark is the newest transaction that is durable. A reader can see a newer one for
// as long as its fsync lasts, and must not answer from it before.
type watermark struct {
	mu      sync.Mutex
	newest  uint64
	lost    bool
	changed chan struct{}
}

func newWatermark(newest uint64) *watermark {
	return &watermark{newest: newest, changed: make(chan struct{})}
}

// raise records that a transaction is durable.
func (w *watermark) raise(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = id
	close(w.changed)
	w.changed = make(chan struct{})
}

// reached returns the newest transaction that is durable.
func (w *watermark) reached() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest
}

// abandon records that no further one will be.
func (w *watermark) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = true
	close(w.changed)
	w.changed = make(chan struct{})
}

// wait waits until a transaction is durable, and reports false if it will not be known.
func (w *watermark) wait(id uint64) bool {
	for {
		w.mu.Lock()
		newest, lost, changed := w.newest, w.lost, w.changed
		w.mu.Unlock()
		if newest >= id {
			return true
		}
		if lost {
			return false
		}
		<-changed
	}
}
