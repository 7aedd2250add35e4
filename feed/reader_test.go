package feed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/revocation"
)

// No reader skips a number or gets one twice, whenever it joins, while revocations commit
// on all sides and the signing keys change.
func TestReadersMissNothing(t *testing.T) {
	const writers, each, readers = 4, 100, 8
	const all = writers * each
	w := newWorld(t, nil)
	w.run(t)
	var busy sync.WaitGroup
	for range writers {
		busy.Go(func() {
			for range each {
				if err := w.revoke(t.Context(), 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	busy.Go(func() {
		for range 5 {
			if _, err := w.keys.Rotate(t.Context()); err != nil {
				t.Error(err)
			}
			for _, k := range w.keys.List() {
				if k.State == "active" { // another one signs at once
					if err := w.keys.Revoke(t.Context(), k.ID, "test", noSessions); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
	for i := range readers {
		busy.Go(func() {
			after := uint64(i * 10)
			for w.hub.Head() < after {
				if err := w.revoke(t.Context(), 0); err != nil { // it waits its turn
					t.Error(err)
				}
			}
			follow(t, w, after, all)
		})
	}
	busy.Wait()
}

// follow reads from a resume point up to a number. A key that is withdrawn between the
// signature and the reader makes it resume, as it would a verifier.
func follow(t *testing.T, w *world, after, upTo uint64) {
	t.Helper()
	c := &client{keys: w.keys, seq: after}
	for c.seq < upTo {
		r, err := w.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: c.seq})
		if err != nil {
			t.Error(err)
			return
		}
		c.reader = r
		for c.seq < upTo && err == nil {
			err = c.next(t.Context())
		}
		r.Close(feed.EndClient)
		if errors.Is(err, errRefused) {
			t.Errorf("after %d: %v", c.seq, err)
			return
		}
	}
}

func TestResume(t *testing.T) {
	w := newWorld(t, nil)
	must(t, w.revoke(t.Context(), 10))
	// Nobody has told the hub: a resume point that a snapshot gave can be ahead of it.
	c := w.subscribe(t, 10)
	w.run(t)
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	for _, after := range []uint64{0, 1, 9} {
		w.subscribe(t, after).until(t, 10)
	}
	for _, after := range []uint64{11, 1 << 53, 1<<64 - 1} {
		if _, err := w.hub.Subscribe(t.Context(), feed.Subscription{After: after}); !errors.Is(err, feed.ErrGone) {
			t.Errorf("after %d: %v, want ErrGone", after, err)
		}
	}
	if n := w.seen.signatures(revocation.TypeEvent); n != 10 {
		t.Errorf("%d signatures for 10 entries", n)
	}
}

// TestResumeAfterPurge: with a new hub, whose ring holds what the log holds and no more.
func TestResumeAfterPurge(t *testing.T) {
	w := newWorld(t, nil)
	must(t, w.revoke(t.Context(), 5))
	w.trim(t, time.Now().Add(time.Hour))
	w.run(t)
	c := w.subscribe(t, 5) // all of the log is purged, and it has missed nothing
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	must(t, w.revoke(t.Context(), 2))
	c.until(t, 7)
	for _, after := range []uint64{0, 4} {
		if _, err := w.hub.Subscribe(t.Context(), feed.Subscription{After: after}); !errors.Is(err, feed.ErrGone) {
			t.Errorf("after %d: %v, want ErrGone", after, err)
		}
	}
	if got := w.seen.ended[feed.EndGone]; got != 2 {
		t.Errorf("%d were gone, want 2", got)
	}
}

// A reader that does not read holds up nothing. Later it goes on where it was, out of the
// store if need be, or hears that it is too late.
func TestSlowReader(t *testing.T) {
	const page, pages = 500, 10 // more than the ring holds
	w := newWorld(t, nil)
	w.run(t)
	must(t, w.revoke(t.Context(), 2))
	slow, late, quick := w.subscribe(t, 0), w.subscribe(t, 0), w.subscribe(t, 0)
	slow.until(t, 1)
	for i := range pages {
		must(t, w.revoke(t.Context(), page))
		if i == 0 {
			quick.until(t, 2+page)
		}
	}
	slow.until(t, 2+page*pages)
	w.trim(t, time.Now().Add(time.Hour))
	var err error
	for err == nil {
		err = late.next(t.Context())
	}
	if !errors.Is(err, feed.ErrGone) {
		t.Errorf("a reader whose next entry is purged: %v, want ErrGone", err)
	}
}

// A hub that begins anew signs nothing before it is asked for, and chains what it has read
// to what came before.
func TestRestart(t *testing.T) {
	w := newWorld(t, nil)
	must(t, w.revoke(t.Context(), 3))
	stop := w.run(t)
	c := w.subscribe(t, 0)
	c.until(t, 2)
	stop()
	if err := c.next(t.Context()); !errors.Is(err, feed.ErrStopped) && err != nil {
		t.Errorf("a reader of a hub that has stopped: %v", err)
	}
	if _, err := w.hub.Subscribe(t.Context(), feed.Subscription{}); !errors.Is(err, feed.ErrStopped) {
		t.Errorf("a hub that has stopped: %v, want ErrStopped", err)
	}
	before := w.seen.signatures(revocation.TypeEvent)
	w.newHub(t, nil)
	w.run(t)
	r, err := w.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: c.seq})
	must(t, err)
	defer r.Close(feed.EndClient)
	at, alives := c.seq, c.alives
	c.reader = r
	for c.alives == alives {
		must(t, c.next(t.Context()))
	}
	if n := w.seen.signatures(revocation.TypeEvent) - before; n != int(3-at) {
		t.Errorf("%d signatures for what one reader had not read after %d", n, at)
	}
}

// What a key has signed is signed again when the key is compromised: a reader that comes
// later could not verify it.
func TestKeyRevoked(t *testing.T) {
	w := newWorld(t, nil)
	w.run(t)
	must(t, w.revoke(t.Context(), 3))
	w.subscribe(t, 0).until(t, 3)
	_, err := w.hub.Snapshot(t.Context())
	must(t, err)
	for _, k := range w.keys.List() {
		must(t, w.keys.Revoke(t.Context(), k.ID, "leaked", noSessions))
	}
	c := w.subscribe(t, 0)
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	if c.seq != 3 {
		t.Errorf("read up to %d", c.seq)
	}
	w.snapshot(t)
}

func TestLimits(t *testing.T) {
	w := newWorld(t, func(c *feed.Config) { c.MaxReaders, c.MaxReadersPerKey = 3, 2 })
	w.run(t)
	subscribe := func(key string) (*feed.Reader, error) {
		return w.hub.Subscribe(t.Context(), feed.Subscription{Key: key})
	}
	one, err := subscribe("a")
	must(t, err)
	_, err = subscribe("a")
	must(t, err)
	if _, err := subscribe("a"); !errors.Is(err, feed.ErrKeyLimit) {
		t.Errorf("a third of a key: %v", err)
	}
	_, err = subscribe("b")
	must(t, err)
	if _, err := subscribe("b"); !errors.Is(err, feed.ErrLimit) {
		t.Errorf("a fourth: %v", err)
	}
	one.Close(feed.EndClient)
	if got := w.hub.Readers(); got != 2 {
		t.Errorf("%d readers, want 2", got)
	}
	if _, err := w.hub.Subscribe(t.Context(), feed.Subscription{Key: "b", After: 99}); !errors.Is(err, feed.ErrGone) {
		t.Errorf("the future: %v", err)
	}
	_, err = subscribe("b") // one that is refused takes no place
	must(t, err)
}

func TestNextEndsWithItsContext(t *testing.T) {
	w := newWorld(t, nil)
	w.run(t)
	c := w.subscribe(t, 0)
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t, nil)
	for name, cfg := range map[string]feed.Config{
		"no issuer": {Log: w.store, Signer: w.keys},
		"no log":    {Issuer: issuer, Signer: w.keys},
		"no signer": {Issuer: issuer, Log: w.store},
	} {
		if _, err := feed.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// noSessions ends the sessions of an issuer that has none.
func noSessions(context.Context) error { return nil }
