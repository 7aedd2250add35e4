package guard

import (
	"context"
	"time"
)

const (
	// unknownKeyCoolDown is how long after a fetch an unknown key id causes no other one.
	unknownKeyCoolDown = 10 * time.Second
	// keyRetry and maxKeyRetry bound the pause after a failed fetch.
	keyRetry    = time.Second
	maxKeyRetry = time.Minute
)

// update fetches the keys, or waits for a fetch that is in flight; but not within coolDown
// of the last one. It reports whether the keys are of another generation than seen.
func (k *keyring) update(ctx context.Context, coolDown time.Duration, seen uint64) bool {
	if done := k.startFetch(coolDown); done != nil && k.generation() == seen {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
	return k.generation() != seen
}

// startFetch starts a fetch, unless one is in flight or was started within coolDown. It
// returns a channel that is closed when the one in flight ends, nil if none is.
func (k *keyring) startFetch(coolDown time.Duration) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inFlight != nil {
		return k.inFlight
	}
	if since := k.now().Sub(k.started); since >= 0 && since < coolDown {
		return nil
	}
	return k.launch()
}

// fetchFromNow makes sure that a fetch starts that sees what the issuer publishes from now
// on. One in flight is not enough: it may have been answered before.
func (k *keyring) fetchFromNow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inFlight != nil {
		k.refetch = true
		return
	}
	k.launch()
}

// launch starts a fetch, unless the guard is closed. The caller holds mu, and no fetch is
// in flight.
func (k *keyring) launch() <-chan struct{} {
	if k.background.Err() != nil {
		return nil
	}
	done := make(chan struct{})
	k.started, k.inFlight, k.refetch = k.now(), done, false
	k.work.Go(func() { k.fetchShared(done) })
	return done
}

// first fetches the keys for the start of the guard.
func (k *keyring) first(ctx context.Context) error {
	err := k.fetch(ctx)
	k.stats.setFault(&k.stats.keysFault, err, k.now())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures = 0
	if err != nil {
		k.failures = 1
	}
	return err
}

// fetchShared is one fetch for all who wait for it. It is part of the guard's background
// work: it goes on when the caller that caused it has gone.
func (k *keyring) fetchShared(done chan struct{}) {
	err := k.fetch(k.background)
	if err != nil && k.background.Err() == nil {
		k.logger.Warn("fetching the issuer's keys", "error", err)
	}
	k.stats.setFault(&k.stats.keysFault, err, k.now())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures++
	if err == nil {
		k.failures = 0
	}
	k.inFlight = nil
	if k.refetch {
		k.launch()
	}
	close(done)
	select {
	case k.fetched <- struct{}{}:
	default:
	}
}

// waitForFetches returns when no fetch is in flight.
func (k *keyring) waitForFetches(ctx context.Context) {
	for {
		k.mu.Lock()
		done := k.inFlight
		k.mu.Unlock()
		if done == nil {
			return
		}
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}

// close ends the background work. No fetch starts after it.
func (k *keyring) close(stop context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	stop()
}

// run fetches the keys when their age or a failed fetch demands it, until the context ends.
func (k *keyring) run(ctx context.Context) {
	for {
		timer := time.NewTimer(k.pause())
		select {
		case <-timer.C:
			k.startFetch(keyRetry / 2) // not if a request started one a moment ago
		case <-k.fetched: // by a request or the feed: the pause starts again
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// pause is the time until the next fetch. It is up to a tenth shorter than the age of the
// keys allows, so that the guards of an issuer do not all fetch at once.
func (k *keyring) pause() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failures > 0 {
		return jitter(min(keyRetry<<min(k.failures-1, 10), maxKeyRetry))
	}
	return k.maxAge - upTo(k.maxAge/10)
}
