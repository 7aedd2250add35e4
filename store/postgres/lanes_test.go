package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Requests that come while a batch runs are the next batch.
func TestLanesShareBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		l := &lanes[int]{most: 8}
		l.run = func(batch []*call[int]) {
			sizes = append(sizes, len(batch))
			time.Sleep(slowBatch / 2)
			for _, c := range batch {
				c.finish(nil)
			}
		}
		var callers sync.WaitGroup
		request := func(n int) {
			callers.Go(func() {
				if got, _, err := l.do(t.Context(), n); got != n || err != nil {
					t.Errorf("request %d: %d, %v", n, got, err)
				}
			})
		}
		request(0)
		synctest.Wait()
		for n := range 10 {
			request(n + 1)
		}
		callers.Wait()
		if len(sizes) != 3 || sizes[0] != 1 || sizes[1] != 8 || sizes[2] != 2 {
			t.Errorf("batches of %v", sizes)
		}
	})
}

// A batch that is slow does not hold up those that follow, up to a number of slow ones.
func TestLanesPassSlowBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		l := &lanes[bool]{most: 8}
		l.run = func(batch []*call[bool]) {
			if batch[0].request {
				<-blocked
			}
			for _, c := range batch {
				c.finish(nil)
			}
		}
		slowNow := func() int {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.slow
		}
		var slow sync.WaitGroup
		for n := range maxLanes {
			slow.Go(func() { _, _, _ = l.do(t.Context(), true) })
			time.Sleep(2 * slowBatch)
			if n+1 < maxLanes {
				if _, _, err := l.do(t.Context(), false); err != nil {
					t.Errorf("beside %d slow batches: %v", n+1, err)
				}
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, abandoned, err := l.do(ctx, false); !errors.Is(err, context.DeadlineExceeded) || abandoned {
			t.Errorf("beside as many slow batches as there may be: %v, begun %v", err, abandoned)
		}
		close(blocked)
		slow.Wait()
		if _, _, err := l.do(t.Context(), false); err != nil || slowNow() != 0 {
			t.Errorf("afterwards: %v, %d slow", err, slowNow())
		}
	})
}
