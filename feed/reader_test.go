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

// No reader skips a number or gets one twice, whenever it is opened, while several writers
// revoke and the signing keys change.
func TestReadersMissNothing(t *testing.T) {
	const writers, each, readers = 4, 100, 8
	const all = writers * each
	f := newFixture(t, nil)
	f.run(t)
	var busy sync.WaitGroup
	for range writers {
		busy.Go(func() {
			for range each {
				if err := f.revoke(t.Context(), 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	busy.Go(func() {
		for range 5 {
			if _, err := f.keys.Rotate(t.Context(), ""); err != nil {
				t.Error(err)
			}
			for _, k := range f.keys.List() {
				if k.State == "active" { // another one signs at once
					if err := f.keys.Revoke(t.Context(), "", k.ID, "test", noSessions); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
	for i := range readers {
		busy.Go(func() {
			after := uint64(i * 10)
			for f.hub.Head() < after {
				if _, err := f.store.Head(t.Context()); err != nil { // to wait a little
					t.Error(err)
				}
			}
			follow(t, f, after, all)
		})
	}
	busy.Wait()
}

// follow reads from a resume point up to a number. If a key is revoked after it has signed and
// before the client verifies, the client resumes, as a verifier would.
func follow(t *testing.T, f *fixture, after, upTo uint64) {
	t.Helper()
	c := &client{keys: f.keys, seq: after}
	for c.seq < upTo {
		r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: c.seq})
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
	f := newFixture(t, nil)
	must(t, f.revoke(t.Context(), 10))
	// The hub does not run yet: a resume point that came from a snapshot can be ahead of it.
	c := f.subscribe(t, 10)
	f.run(t)
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	for _, after := range []uint64{0, 1, 9} {
		f.subscribe(t, after).until(t, 10)
	}
	for _, after := range []uint64{11, 1 << 53, 1<<64 - 1} {
		if _, err := f.hub.Subscribe(t.Context(), feed.Subscription{After: after}); !errors.Is(err, feed.ErrGone) {
			t.Errorf("after %d: %v, want ErrGone", after, err)
		}
	}
	if n := f.seen.signatures(revocation.TypeEvent); n != 10 {
		t.Errorf("%d signatures for 10 entries", n)
	}
}

// After a restart the ring holds what the log holds, and no more.
func TestResumeAfterTrim(t *testing.T) {
	f := newFixture(t, nil)
	must(t, f.revoke(t.Context(), 5))
	f.trim(t, time.Now().Add(time.Hour))
	f.run(t)
	c := f.subscribe(t, 5) // all of the log is trimmed, and the client has missed nothing
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	must(t, f.revoke(t.Context(), 2))
	c.until(t, 7)
	for _, after := range []uint64{0, 4} {
		if _, err := f.hub.Subscribe(t.Context(), feed.Subscription{After: after}); !errors.Is(err, feed.ErrGone) {
			t.Errorf("after %d: %v, want ErrGone", after, err)
		}
	}
	if got := f.seen.ended[feed.EndGone]; got != 2 {
		t.Errorf("%d were gone, want 2", got)
	}
}

// When revocations were trimmed that the hub had not read, it does not know the one before the
// oldest that is left, and does not name another in its place.
func TestPredecessorAfterAGap(t *testing.T) {
	f := newFixture(t, nil)
	must(t, f.revoke(t.Context(), 2))
	early := f.subscribe(t, 0) // the hub does not run: it reads the log only when it must
	must(t, f.revoke(t.Context(), 2))
	f.trim(t, time.Now().Add(time.Hour))
	must(t, f.revoke(t.Context(), 1))
	c := f.subscribe(t, 4) // makes the hub read number 5, after 2
	c.until(t, 5)
	if !c.prev.IsZero() {
		t.Errorf("number 5 follows on %s, which is not number 4", c.prev)
	}
	if err := early.next(t.Context()); !errors.Is(err, feed.ErrGone) {
		t.Errorf("a reader of what was trimmed: %v, want ErrGone", err)
	}
}

// A reader that does not read holds up nothing. Later it goes on where it was, from the
// store if need be, or gets ErrGone if that is trimmed.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const page, pages = 500, 10 // more than the ring holds
	f := newFixture(t, nil)
	f.run(t)
	must(t, f.revoke(t.Context(), 2))
	slow, late, quick := f.subscribe(t, 0), f.subscribe(t, 0), f.subscribe(t, 0)
	slow.until(t, 1)
	for i := range pages {
		must(t, f.revoke(t.Context(), page))
		if i == 0 {
			quick.until(t, 2+page)
		}
	}
	slow.until(t, 2+page*pages)
	f.trim(t, time.Now().Add(time.Hour))
	var err error
	for err == nil {
		err = late.next(t.Context())
	}
	if !errors.Is(err, feed.ErrGone) {
		t.Errorf("a reader whose next revocation is trimmed: %v, want ErrGone", err)
	}
}

// A new hub signs nothing before somebody reads it, and chains what it has read to what came
// before.
func TestRestart(t *testing.T) {
	f := newFixture(t, nil)
	must(t, f.revoke(t.Context(), 3))
	stop := f.run(t)
	c := f.subscribe(t, 0)
	c.until(t, 2)
	stop()
	if err := c.next(t.Context()); !errors.Is(err, feed.ErrStopped) && err != nil {
		t.Errorf("a reader of a hub that has stopped: %v", err)
	}
	if _, err := f.hub.Subscribe(t.Context(), feed.Subscription{}); !errors.Is(err, feed.ErrStopped) {
		t.Errorf("a hub that has stopped: %v, want ErrStopped", err)
	}
	before := f.seen.signatures(revocation.TypeEvent)
	f.newHub(t, nil)
	f.run(t)
	r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: c.seq})
	must(t, err)
	defer r.Close(feed.EndClient)
	at, alives := c.seq, c.alives
	c.reader = r
	for c.alives == alives {
		must(t, c.next(t.Context()))
	}
	if n := f.seen.signatures(revocation.TypeEvent) - before; n != int(3-at) {
		t.Errorf("%d signatures for what one reader had not read after %d", n, at)
	}
}

// What a key has signed is signed again after the key was revoked: a later reader could not
// verify it.
func TestKeyRevoked(t *testing.T) {
	f := newFixture(t, nil)
	f.run(t)
	must(t, f.revoke(t.Context(), 3))
	f.subscribe(t, 0).until(t, 3)
	_, err := f.hub.Snapshot(t.Context())
	must(t, err)
	for _, k := range f.keys.List() {
		must(t, f.keys.Revoke(t.Context(), "", k.ID, "leaked", noSessions))
	}
	c := f.subscribe(t, 0)
	for c.alives == 0 {
		must(t, c.next(t.Context()))
	}
	if c.seq != 3 {
		t.Errorf("read up to %d", c.seq)
	}
	f.snapshot(t)
}

func TestLimits(t *testing.T) {
	f := newFixture(t, func(c *feed.Config) { c.MaxReaders, c.MaxReadersPerKey = 3, 2 })
	f.run(t)
	subscribe := func(key string) (*feed.Reader, error) {
		return f.hub.Subscribe(t.Context(), feed.Subscription{Key: key})
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
	if got := f.hub.Readers(); got != 2 {
		t.Errorf("%d readers, want 2", got)
	}
	if _, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "b", After: 99}); !errors.Is(err, feed.ErrGone) {
		t.Errorf("the future: %v", err)
	}
	_, err = subscribe("b") // the refused one does not count
	must(t, err)
}

func TestNextEndsWithItsContext(t *testing.T) {
	f := newFixture(t, nil)
	f.run(t)
	c := f.subscribe(t, 0)
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
	f := newFixture(t, nil)
	for name, cfg := range map[string]feed.Config{
		"no issuer": {Log: f.store, Signer: f.keys},
		"no log":    {Issuer: issuer, Signer: f.keys},
		"no signer": {Issuer: issuer, Log: f.store},
	} {
		if _, err := feed.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// noSessions ends the sessions of an issuer that has none.
func noSessions(context.Context) error { return nil }
