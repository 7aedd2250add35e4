package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxBatch is how many requests share one statement at most.
	maxBatch = 256
	// maxLanes is how many batches of a kind are at the server at once, at most.
	maxLanes = 4
	// slowBatch is for how long requests wait for the batch before theirs. One batch at a time costs the server least;
	// but one that waits for a row that somebody has locked must not hold up all others.
	slowBatch = 50 * time.Millisecond
)

// lanes run requests in batches. While a batch runs requests queue, and the next batch is the whole queue: nothing waits
// for others to come. Another batch runs beside one that is slow.
type lanes[R any] struct {
	most int                    // requests in a batch
	run  func(batch []*call[R]) // finishes each call

	mu      sync.Mutex
	waiting []*call[R]
	busy    int // batches that run, but for the slow ones
	slow    int
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
	l.start()
}

// start begins to run batches if something is waiting and nothing but slow batches runs. The caller holds mu.
func (l *lanes[R]) start() {
	if len(l.waiting) > 0 && l.busy == 0 && l.slow < maxLanes {
		l.busy++
		go l.work()
	}
}

// work runs batches until nothing is waiting. After a slow one it leaves the rest to the lane that has begun beside it.
func (l *lanes[R]) work() {
	for batch := l.next(); batch != nil; batch = l.next() {
		if slow := l.runBatch(batch); slow {
			return
		}
	}
}

// runBatch runs a batch. If it is slow, another lane can begin beside it.
func (l *lanes[R]) runBatch(batch []*call[R]) (slow bool) {
	over := false // mu guards it, and slow
	timer := time.AfterFunc(slowBatch, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !over {
			slow = true
			l.busy--
			l.slow++
			l.start()
		}
	})
	l.run(batch)
	timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	over = true
	if slow {
		l.slow--
		l.start()
	}
	return slow
}

// next is what is waiting. nil: the lane has nothing to do, and ends.
func (l *lanes[R]) next() (batch []*call[R]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 && len(batch) == 0 {
		n := min(len(l.waiting), l.most)
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
