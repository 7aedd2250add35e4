package feed_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/feed"
	"issuer.example/revocation"
)

// An alive comes at once and then every ten seconds, with the comment for proxies, and one
// signature is for all who are due.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers = 100
		w := newWorld(t, nil)
		must(t, w.revoke(t.Context(), 2))
		defer w.run(t)()
		var clients []*client
		for range readers {
			clients = append(clients, w.subscribe(t, 1))
		}
		began := time.Now()
		for round := 1; round <= 3; round++ {
			for _, c := range clients {
				for c.alives < round {
					must(t, c.next(t.Context()))
				}
				if c.comments != round {
					t.Fatalf("%d comments in round %d", c.comments, round)
				}
			}
			if took := time.Since(began); took > 21*time.Second || took < time.Duration(round-1)*10*time.Second {
				t.Errorf("round %d ends after %s", round, took)
			}
		}
		// One who asks while another's is being signed makes it two.
		if n := w.seen.signatures(revocation.TypeAlive); n > 2*3 {
			t.Errorf("%d signatures for 3 rounds of %d readers", n, readers)
		}
	})
}

// While revocations never cease, every reader still hears that nothing is missing.
func TestAliveUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		defer w.run(t)()
		c := w.subscribe(t, 0)
		stop := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				case <-time.After(30 * time.Millisecond):
				}
				if err := w.revoke(t.Context(), 2); err != nil {
					done <- err
					return
				}
			}
		}()
		began := time.Now()
		for c.alives < 4 {
			must(t, c.next(t.Context()))
		}
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("the fourth alive comes after %s", took)
		}
		close(stop)
		must(t, <-done)
	})
}

// The issuer vouches for nothing that it can't read. Proxies still see that the connection
// lives.
func TestNoAliveWithoutTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		defer w.run(t)()
		c := w.subscribe(t, 0)
		for c.alives == 0 {
			must(t, c.next(t.Context()))
		}
		must(t, w.store.Close())
		for c.comments < 4 {
			must(t, c.next(t.Context()))
		}
		if c.alives != 1 {
			t.Errorf("%d alives of a store that is closed", c.alives-1)
		}
		if _, err := w.hub.Snapshot(t.Context()); err == nil {
			t.Error("a snapshot of a store that is closed")
		}
	})
}

// Readers that came together do not end together.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		defer w.run(t)()
		began := time.Now()
		ends := make(chan time.Duration)
		const readers = 20
		for range readers {
			c := w.subscribe(t, 0)
			go func() {
				var err error
				for err == nil {
					err = c.next(t.Context())
				}
				if !errors.Is(err, feed.ErrEnd) {
					t.Error(err)
				}
				ends <- time.Since(began)
			}()
		}
		first, last := time.Hour, time.Duration(0)
		for range readers {
			end := <-ends
			first, last = min(first, end), max(last, end)
		}
		if first < 12*time.Minute || last > 18*time.Minute || last-first < time.Minute {
			t.Errorf("they end from %s to %s", first, last)
		}
	})
}
