package guard_test

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// setWall moves the wall clock of a time and leaves its monotonic clock as it is. That is
// what a time looks like after the machine was suspended, or its clock was set. Package
// time has no function for it. The test fails if the layout of [time.Time] has changed.
func setWall(t *testing.T, now time.Time, by time.Duration) time.Time {
	t.Helper()
	moved := now
	(*struct {
		wall uint64 // 1 bit: has a monotonic reading; 33 bits of seconds; 30 bits of nanoseconds
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&moved)).wall += uint64(by/time.Second) << 30 // wraps around for a negative time
	if moved.Sub(now) != 0 || moved.Round(0).Sub(now.Round(0)) != by {
		t.Errorf("the clocks moved by %s and %s, not by %s and 0", moved.Round(0).Sub(now.Round(0)), moved.Sub(now), by)
	}
	return moved
}

// A guard that hears nothing is stale by either clock: the monotonic one stands still while
// a machine is suspended, and the wall clock can be set back.
func TestStaleByEitherClock(t *testing.T) {
	for name, c := range map[string]struct{ wall, both time.Duration }{
		"suspended":       {wall: 40 * time.Second},
		"clock set back":  {wall: -40 * time.Second, both: 40 * time.Second},
		"clock set ahead": {wall: 40 * time.Second, both: 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			iss := guardtest.New(t, guardtest.Config{})
			var later atomic.Bool
			g := iss.Guard(t, quiet, func(config *guard.Config) {
				config.Now = func() time.Time {
					if later.Load() {
						return setWall(t, time.Now().Add(c.both), c.wall)
					}
					return time.Now()
				}
			})
			token := iss.Mint(t, jwt.Claims{})
			iss.Await(t, g)
			iss.Down(true)
			guardtest.Until(t, func() bool { return !g.Stats().Connected })
			accepted(t, g, token)
			later.Store(true)
			if !g.Stats().Stale {
				t.Error("the list is fresh")
			}
			refused(t, g, token, guard.ErrStale)
			later.Store(false)
			accepted(t, g, token)
		})
	}
}
