package handlers_test

import (
	"testing"
	"time"

	"issuer.example/handlers"
)

// The access log says in its name that the time is in milliseconds.
func TestAccessLogDuration(t *testing.T) {
	var f *fixture
	f = newFixture(t, func(s *settings) {
		s.http.Checks = append(s.http.Checks, handlers.Check{Name: "slow", Err: func() error {
			f.clock.add(1500 * time.Microsecond)
			return nil
		}})
	})
	f.call(t, "GET", "/readyz", nil).want(t, 200, "")
	if entry := f.lastRequest(t); entry["took_ms"] != 1.5 || entry["took"] != nil {
		t.Errorf("the log says %v", entry)
	}
}
