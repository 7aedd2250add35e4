package bolt

import (
	"context"
	"errors"
	"sync"
)

// errAbandoned means that it will never be known whether a transaction is durable.
var errAbandoned = errors.New("bolt: the store has failed")

// watermark is the newest transaction that is durable. A reader can see a newer one before its
// fsync has ended, and must wait for that before it answers.
type watermark struct {
	mu        sync.Mutex
	newest    uint64
	abandoned bool
	changed   chan struct{}
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

// abandon records that no further transaction will be known to be durable.
func (w *watermark) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandoned = true
	close(w.changed)
	w.changed = make(chan struct{})
}

// wait waits until a transaction is durable. It returns errAbandoned if that will not be
// known, and the context's error when that ends first.
func (w *watermark) wait(ctx context.Context, id uint64) error {
	for {
		w.mu.Lock()
		newest, abandoned, changed := w.newest, w.abandoned, w.changed
		w.mu.Unlock()
		if newest >= id {
			return nil
		}
		if abandoned {
			return errAbandoned
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
