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
	c := newClient(Config{HTTPClient: server.Client(), ServiceKey: "sk_test", Now: time.Now})
	d := newDiscovery(c, Config{Issuer: server.URL})
	d.known = &endpoints{introspection: server.URL}
	i := newIntrospector(c, d)
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

// The stream waits for as long as Retry-After says, and at most half as long again, but not
// for longer than a third of the time after which the list is stale.
func TestPauseObeysRetryAfter(t *testing.T) {
	f := &stream{follower: &follower{maxStaleness: 30 * time.Second}}
	for range 100 {
		if d := f.pause(&statusError{status: 503, retryAfter: 6 * time.Second}); d < 6*time.Second || d > 9*time.Second {
			t.Fatalf("Retry-After of 6 s: %s", d)
		}
		if d := f.pause(&statusError{status: 503, retryAfter: 10 * time.Second}); d != 10*time.Second {
			t.Fatalf("Retry-After of 10 s: %s", d)
		}
		if d := f.pause(errDisconnected); d > firstPause {
			t.Fatalf("after the first failure: %s", d)
		}
	}
	c := newClient(Config{HTTPClient: http.DefaultClient, MaxStaleness: 30 * time.Second, Now: time.Now})
	for _, text := range []string{"3600", "99999999999", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)} {
		if d := c.retryAfter(http.Header{"Retry-After": {text}}); d != 10*time.Second && d != 0 {
			t.Errorf("Retry-After %s: %s", text, d)
		}
	}
	f.failures = 1000
	for range 100 {
		if d := f.pause(errDisconnected); d < longestPause/2 || d > longestPause {
			t.Fatalf("after 1,000 failures: %s", d)
		}
	}
}
