package feed_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/feed"
	"issuer.example/revocation"
)

// failover is a log that can be replaced, as by a standby that takes over.
type failover struct{ now atomic.Pointer[feed.Log] }

func (l *failover) to(log feed.Log) { l.now.Store(&log) }

func (l *failover) Revocations(ctx context.Context, after uint64, limit int) ([]revocation.Entry, uint64, error) {
	return (*l.now.Load()).Revocations(ctx, after, limit)
}

func (*failover) Watch(context.Context) <-chan struct{} { return nil }

// A standby that took over lacks the newest revocations, and later gives their numbers to others. No
// reader is told that it has all: it is sent to the snapshot, and what comes afterwards is the new
// log's.
func TestLogGoesBack(t *testing.T) {
	for name, c := range map[string]struct{ before, after, later int }{
		"to its beginning":              {before: 5, after: 0, later: 0},
		"by some entries":               {before: 5, after: 3, later: 0},
		"and has passed the old number": {before: 5, after: 0, later: 8},
		"and is just as long":           {before: 5, after: 5, later: 0},
		"by more than a page":           {before: 600, after: 20, later: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &failover{}
				f := newFixture(t, func(c *feed.Config) { log.to(c.Log); c.Log = log })
				must(t, f.revoke(t.Context(), c.before))
				f.run(t)
				r := f.reader(t, uint64(c.before))
				f.until(t, r, func(m message) bool { return m.alive != nil })

				standby := newFixture(t, nil)
				must(t, standby.revoke(t.Context(), c.after+c.later))
				log.to(standby.store)
				var err error
				for err == nil {
					_, err = r.Next(t.Context()) // at the next alive the log is read
				}
				if !errors.Is(err, feed.ErrGone) {
					t.Errorf("the reader: %v, want ErrGone", err)
				}
				synctest.Wait() // for the hub to read the new log
				end := uint64(c.after + c.later)
				if f.hub.Head() != end {
					t.Errorf("the log ends at %d, want %d", f.hub.Head(), end)
				}
				must(t, standby.revoke(t.Context(), 1))
				f.subscribe(t, end).until(t, end+1)
				f.subscribe(t, 0).until(t, end+1)
			})
		})
	}
}

// A log that was trimmed has not gone back.
func TestTrimmedLogHasNotGoneBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 5))
		f.run(t)
		c := f.subscribe(t, 5)
		for c.alives == 0 {
			must(t, c.next(t.Context()))
		}
		f.trim(t, time.Now().Add(time.Hour))
		must(t, f.revoke(t.Context(), 1))
		c.until(t, 6)
	})
}
