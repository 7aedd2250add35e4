package postgres

import (
	"context"
	"sync"
	"sync/atomic"
)

// maxBatch is how many requests share one statement.
const maxBatch = 256

// lanes run requests in batches. While all of them are busy requests queue, and the next lane that is free takes the
// whole queue: nothing waits for others to come.
type lanes[R any] struct {
	most int                    // how many batches run at once
	run  func(batch []*call[R]) // finishes each call

	mu      sync.Mutex
	waiting []*call[R]
	busy    int
}

// call is a request that shares a batch with others.
type call[R any] struct {
	request R
	err     error         // valid once done is closed
	done    chan struct{} // closed when the request has been answered
	begun   atomic.Bool   // a lane has taken it, or its caller has gone
}

// finish answers a call.
func (c *call[R]) finish(err error) {
	c.err = err
	close(c.done)
}

// do runs a request. abandoned means that the context ended while it was under way: it goes on without its caller.
func (l *lanes[R]) do(ctx context.Context, request R) (answer R, abandoned bool, err error) {
	c := &call[R]{request: request, done: make(chan struct{})}
	l.add(c)
	select {
	case <-c.done:
		return c.request, false, c.err
	case <-ctx.Done():
		return request, !c.begun.CompareAndSwap(false, true), ctx.Err()
	}
}

func (l *lanes[R]) add(c *call[R]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, c)
	if l.busy < l.most {
		l.busy++
		go l.work()
	}
}

// work runs batches until nothing is waiting.
func (l *lanes[R]) work() {
	for batch := l.next(); batch != nil; batch = l.next() {
		l.run(batch)
	}
}

// next takes what is waiting. nil: the lane has nothing to do, and is free.
func (l *lanes[R]) next() (batch []*call[R]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 && len(batch) == 0 {
		n := min(len(l.waiting), maxBatch)
		for _, c := range l.waiting[:n] {
			if c.begun.CompareAndSwap(false, true) {
				batch = append(batch, c)
			}
		}
		clear(l.waiting[:n])
		l.waiting = l.waiting[n:]
	}
	if len(batch) == 0 {
		l.busy--
	}
	return batch
}
