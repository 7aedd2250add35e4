package guardtest

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/internal/memnet"
	"issuer.example/jwt"
	"issuer.example/sid"
)

const (
	// Audience is the audience of tokens, and of guards, where a test sets none.
	Audience = "https://api.example"
	// ServiceKey is the service key that may read the feed and introspect tokens.
	ServiceKey = "sk_guardtest0000000000000000000000000000000000"
)

// Config configures an [Issuer]. Its zero value is what a real issuer does by default.
type Config struct {
	// Algorithm is the algorithm of the keys. Empty means ES256.
	Algorithm jwt.Algorithm
	// Lifetime is the lifetime of access tokens. Zero means 5 min.
	Lifetime time.Duration
	// AliveEvery is the time between two alive messages of a stream. Zero means 10 s.
	AliveEvery time.Duration
	// MaxAge is how long the key set may be cached. Zero means 5 min.
	MaxAge time.Duration
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
	// InMemory makes the issuer one for a bubble of testing/synctest: it is reached
	// without a network, and only by the HTTPClient of [Issuer.Config].
	InMemory bool
}

// Issuer is a running issuer. It is safe for concurrent use.
type Issuer struct {
	config Config
	server *httptest.Server
	client *http.Client
	ids    *sid.Generator
	stop   chan struct{} // closed at the end of the test

	mu        sync.Mutex
	keys      []*jwt.Signer // the last one signs
	log       []logEntry
	first     uint64        // number of the oldest entry that was not purged
	changed   chan struct{} // closed when the log grows or an alive is requested
	cut       chan struct{} // closed when the streams are cut
	requested uint64        // how often Alive was called
	down      bool
	intercept func(w http.ResponseWriter, r *http.Request, next http.Handler)
	requests  map[string]int
	reports   map[string]Report
}

// New starts an issuer. It stops at the end of the test.
func New(tb testing.TB, config Config) *Issuer {
	tb.Helper()
	config.Algorithm = cmp.Or(config.Algorithm, jwt.ES256)
	config.Lifetime = cmp.Or(config.Lifetime, 5*time.Minute)
	config.AliveEvery = cmp.Or(config.AliveEvery, 10*time.Second)
	config.MaxAge = cmp.Or(config.MaxAge, 5*time.Minute)
	if config.Now == nil {
		config.Now = time.Now
	}
	i := &Issuer{
		config: config, ids: sid.NewGenerator(config.Now), stop: make(chan struct{}), first: 1,
		changed: make(chan struct{}), cut: make(chan struct{}),
		requests: map[string]int{}, reports: map[string]Report{},
	}
	i.keys = []*jwt.Signer{newKey(tb, config.Algorithm)}
	i.serve()
	tb.Cleanup(func() {
		close(i.stop)
		i.server.CloseClientConnections()
		i.server.Close()
	})
	return i
}

func (i *Issuer) serve() {
	if !i.config.InMemory {
		i.server = httptest.NewServer(i.handler())
		i.client = i.server.Client()
		return
	}
	listener := memnet.Listen("127.0.0.1:80")
	i.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: i.handler()}} //nolint:gosec // of a test
	i.server.Start()
	i.client = &http.Client{Transport: listener.Transport()}
}

// URL returns the issuer's URL, which is iss in its tokens.
func (i *Issuer) URL() string { return i.server.URL }

// Config returns the configuration of a guard for this issuer.
func (i *Issuer) Config() guard.Config {
	return guard.Config{
		Issuer: i.URL(), Audience: []string{Audience}, ServiceKey: ServiceKey, Name: "guardtest",
		Now: i.config.Now, HTTPClient: i.client,
	}
}

// Guard returns a guard for this issuer. The changes apply to its configuration. It is
// closed at the end of the test.
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

// Await waits until the guard is connected and has applied every revocation. It fails the
// test after 30 s.
func (i *Issuer) Await(tb testing.TB, g *guard.Guard) {
	tb.Helper()
	Until(tb, func() bool {
		s := g.Stats()
		return s.Connected && s.Seq == i.Seq()
	})
}

// Until waits until the condition holds. It fails the test after 30 s.
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
			tb.Fatal("guardtest: the condition did not hold within 30 s")
		}
	}
}
