package feed_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/feed"
	"issuer.example/revocation"
)

// An alive message comes at once and then every ten seconds, with the comment for proxies, and
// all readers that are due share one signature.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers = 100
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 2))
		defer f.run(t)()
		var clients []*client
		for range readers {
			clients = append(clients, f.subscribe(t, 1))
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
		// A reader that asks while one is being signed causes a second.
		if n := f.seen.signatures(revocation.TypeAlive); n > 2*3 {
			t.Errorf("%d signatures for 3 rounds of %d readers", n, readers)
		}
	})
}

// While revocations keep coming, every reader still gets its alive messages.
func TestAliveUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		defer f.run(t)()
		c := f.subscribe(t, 0)
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
				if err := f.revoke(t.Context(), 2); err != nil {
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

// The issuer vouches for nothing that it cannot read. Proxies still see that the connection
// is in use.
func TestNoAliveWithoutTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		defer f.run(t)()
		c := f.subscribe(t, 0)
		for c.alives == 0 {
			must(t, c.next(t.Context()))
		}
		must(t, f.store.Close())
		for c.comments < 4 {
			must(t, c.next(t.Context()))
		}
		if c.alives != 1 {
			t.Errorf("%d alive messages of a store that is closed", c.alives-1)
		}
		if _, err := f.hub.Snapshot(t.Context()); err == nil {
			t.Error("a snapshot of a store that is closed")
		}
	})
}

// Readers that were opened together do not all end together.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		defer f.run(t)()
		began := time.Now()
		ends := make(chan time.Duration)
		const readers = 20
		for range readers {
			c := f.subscribe(t, 0)
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

// An alive message says up to which revocation nothing is missing: a reader that is further
// behind than one batch of frames gets all of them first. Another reader has had it signed
// already.
func TestAliveComesAfterItsRevocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const revocations = 150 // more than two batches
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), revocations))
		defer f.run(t)()
		for first := f.subscribe(t, revocations); first.alives == 0; {
			must(t, first.next(t.Context()))
		}
		c := f.subscribe(t, 0)
		for c.alives == 0 {
			must(t, c.next(t.Context())) // refuses an alive message that comes too early
		}
		if c.seq != revocations {
			t.Errorf("the alive message comes after %d revocations, want %d", c.seq, revocations)
		}
	})
}
