package postgres

import (
	"context"
	"sync"
)

// watchers are told when facts may have been added.
type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]struct{}
}

// Watch implements [fact.Log].
func (db *DB) Watch(ctx context.Context) <-chan struct{} {
	w, ch := &db.journal.watchers, make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[chan struct{}]struct{})
	}
	w.all[ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, ch)
	})
	return ch
}

// wake tells the watchers. It never blocks: a watcher that has not received the value before
// gets one for both.
func (w *watchers) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.all {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
