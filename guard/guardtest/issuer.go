package guardtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/jwt"
	"issuer.example/sid"
)

const (
	// Audience is the service that tokens are for, unless a test says otherwise.
	Audience = "https://api.example"
	// ServiceKey is the key that reads the feed and introspects.
	ServiceKey = "sk_guardtest0000000000000000000000000000000000"
)

// Config says how an issuer behaves. Its zero value is an issuer like any other.
type Config struct {
	// Algorithm is that of the keys. Empty means ES256.
	Algorithm jwt.Algorithm
	// Lifetime is that of access tokens. Zero means 5 min.
	Lifetime time.Duration
	// AliveEvery is how often the stream says that it is complete. Zero means 10 s.
	AliveEvery time.Duration
	// MaxAge is for how long the key set may be cached. Zero means 5 min.
	MaxAge time.Duration
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
}

// Issuer is a running issuer. It is safe for concurrent use.
type Issuer struct {
	config Config
	server *httptest.Server
	ids    *sid.Generator
	stop   chan struct{} // closed at the end of the test

	mu        sync.Mutex
	keys      []*jwt.Signer // the last one signs
	log       []logged
	first     uint64 // the number of the oldest entry of the log that is left
	changed   chan struct{}
	cut       chan struct{}
	beat      uint64 // grows when every stream is to say that it is complete
	down      bool
	intercept func(w http.ResponseWriter, r *http.Request, next http.Handler)
	requests  map[string]int
	reports   map[string]Report
}

// New starts an issuer, and ends it with the test.
func New(tb testing.TB, config Config) *Issuer {
	tb.Helper()
	if config.Algorithm == "" {
		config.Algorithm = jwt.ES256
	}
	if config.Lifetime == 0 {
		config.Lifetime = 5 * time.Minute
	}
	if config.AliveEvery == 0 {
		config.AliveEvery = 10 * time.Second
	}
	if config.MaxAge == 0 {
		config.MaxAge = 5 * time.Minute
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	i := &Issuer{
		config: config, ids: sid.NewGenerator(config.Now), stop: make(chan struct{}), first: 1,
		changed: make(chan struct{}), cut: make(chan struct{}),
		requests: map[string]int{}, reports: map[string]Report{},
	}
	i.keys = []*jwt.Signer{newKey(tb, config.Algorithm)}
	i.server = httptest.NewServer(i.handler())
	tb.Cleanup(func() {
		close(i.stop)
		i.server.CloseClientConnections()
		i.server.Close()
	})
	return i
}

// URL is the issuer's URL, the iss of its tokens.
func (i *Issuer) URL() string { return i.server.URL }

// Config returns what a guard needs to trust the issuer.
func (i *Issuer) Config() guard.Config {
	return guard.Config{
		Issuer: i.URL(), Audience: []string{Audience}, ServiceKey: ServiceKey, Name: "guardtest",
		Now: i.config.Now, HTTPClient: i.server.Client(),
	}
}

// Guard returns a guard of the issuer, after the changes to its configuration, and closes
// it with the test.
func (i *Issuer) Guard(tb testing.TB, changes ...func(*guard.Config)) *guard.Guard {
	tb.Helper()
	config := i.Config()
	for _, change := range changes {
		change(&config)
	}
	g, err := guard.New(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = g.Close() })
	return g
}

// Await returns when the guard is connected and has applied every revocation. It fails
// the test after 30 s.
func (i *Issuer) Await(tb testing.TB, g *guard.Guard) {
	tb.Helper()
	Until(tb, func() bool {
		s := g.Stats()
		return s.Connected && s.Seq == i.Seq()
	})
}

// Until returns when the condition holds, and fails the test if it does not within 30 s.
func Until(tb testing.TB, condition func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal("guardtest: the condition does not come true")
		}
	}
}
