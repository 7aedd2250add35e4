package server

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopKeepsItsPromise(t *testing.T) {
	if stopGrace >= 10*time.Second {
		t.Errorf("a stop may take %s, and 10 s are promised", stopGrace)
	}
	if rest := stopGrace - drainGrace - storeGrace; rest < 500*time.Millisecond {
		t.Errorf("background work may have only %s to end", rest)
	}
}

// A step that does not end holds the stop up for its grace and no longer.
func TestStepOfStopIsBounded(t *testing.T) {
	const grace = 3 * time.Second
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		takes, want time.Duration
		err, wanted error
	}{
		"at once":      {0, 0, nil, nil},
		"in time":      {time.Second, time.Second, nil, nil},
		"with failure": {time.Second, time.Second, failed, failed},
		"too late":     {time.Minute, grace, nil, errGrace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(c.takes) // a late step must end before the bubble does
				began := time.Now()
				err := within(grace, func() error { time.Sleep(c.takes); return c.err })
				if took := time.Since(began); took != c.want || !errors.Is(err, c.wanted) {
					t.Errorf("took %s and returned %v, want %s and %v", took, err, c.want, c.wanted)
				}
			})
		})
	}
}
