package guard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// While the most introspections that may run at a time are in flight, another one waits
// until its context ends, and sends nothing.
func TestIntrospectionsAreBounded(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	i := newIntrospector(newClient(Config{HTTPClient: server.Client(), ServiceKey: "sk_test", Now: time.Now}), server.URL)
	for range maxIntrospections {
		i.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := i.ask(ctx, "token", &verified{}); !errors.Is(err, ErrStale) || requests.Load() != 0 || ctx.Err() == nil {
		t.Errorf("%v, %d requests", err, requests.Load())
	}
	<-i.slots
	if err := i.ask(t.Context(), "token", &verified{}); !errors.Is(err, ErrStale) || requests.Load() != 1 || len(i.slots) != maxIntrospections-1 {
		t.Errorf("with one less: %v, %d requests, %d slots taken", err, requests.Load(), len(i.slots))
	}
}

// The feed waits for as long as Retry-After says, and at most twice as long.
func TestPauseObeysRetryAfter(t *testing.T) {
	f := &feed{}
	for range 100 {
		if d := f.pause(&statusError{status: 503, retryAfter: 20 * time.Second}); d < 20*time.Second || d > 40*time.Second {
			t.Fatalf("Retry-After of 20 s: %s", d)
		}
		if d := f.pause(errDisconnected); d > firstPause {
			t.Fatalf("after the first failure: %s", d)
		}
	}
	f.failures = 1000
	for range 100 {
		if d := f.pause(errDisconnected); d < longestPause/2 || d > longestPause {
			t.Fatalf("after 1,000 failures: %s", d)
		}
	}
}
