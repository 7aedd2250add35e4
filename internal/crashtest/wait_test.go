//go:build linux

package crashtest_test

import (
	"net/http"
	"testing"
	"time"
)

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for timeout := time.After(testTimeout); !holds(); {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("%s: it did not happen in %v", what, testTimeout)
		}
	}
}

// serves waits until n more requests have been acknowledged.
func (f *fleet) serves(n int64) {
	f.t.Helper()
	from := f.acknowledged.Load()
	eventually(f.t, "requests are acknowledged", func() bool {
		return f.faults.Load() > 0 || f.acknowledged.Load() >= from+n
	})
}

// fails waits until n more requests have been answered 503.
func (f *fleet) fails(n int64) {
	f.t.Helper()
	from := f.refused.Load()
	eventually(f.t, "requests are answered 503", func() bool {
		return f.faults.Load() > 0 || f.refused.Load() >= from+n
	})
}

func (a *api) ready() bool { return a.call("GET", "/readyz", "", "").status == http.StatusOK }

func (a *api) unready() bool {
	return a.call("GET", "/readyz", "", "").status == http.StatusServiceUnavailable
}
