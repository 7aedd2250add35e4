package guard

import (
	"context"
	"math/rand/v2"
	"time"
)

// jitter is a random time from half of d to d.
func jitter(d time.Duration) time.Duration { return d/2 + upTo(d/2) }

// upTo is a random time from 0 to d.
func upTo(d time.Duration) time.Duration {
	return rand.N(d + 1) //nolint:gosec // it spreads load and protects nothing
}

// pause waits for d. It reports false if the context ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
