package session_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// clock is a clock that the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// observed counts what the service reports.
type observed struct {
	mu        sync.Mutex
	refreshed map[string]int
}

func (o *observed) Refreshed(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refreshed[outcome]++
}

// fixture is a service over a real store, with a clock of its own.
type fixture struct {
	svc    *session.Service
	store  *bolt.DB
	path   string
	clock  *clock
	seen   *observed
	config session.Config
}

const testIssuer = "https://auth.example"

func newFixture(t testing.TB, change func(*session.Config)) *fixture {
	t.Helper()
	f := &fixture{
		path:  filepath.Join(t.TempDir(), "issuer.db"),
		clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		seen:  &observed{refreshed: map[string]int{}},
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwt.NewSigner("k1", jwt.ES256, private)
	if err != nil {
		t.Fatal(err)
	}
	published, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	f.config = session.Config{
		Signer: signer, Keys: published,
		RefreshKeys: []refresh.Key{{ID: 1, Key: [32]byte{1}}},
		Issuer:      testIssuer, Audience: []string{testIssuer}, AccessLifetime: 5 * time.Minute,
		IdleTimeout: 7 * 24 * time.Hour, AbsoluteTimeout: 30 * 24 * time.Hour,
		FreshAge: 10 * time.Minute, History: 30 * 24 * time.Hour,
		Refresh:  refresh.Policy{Window: window},
		Observer: f.seen, Now: f.clock.now,
	}
	f.config.Logger = slog.New(slog.DiscardHandler)
	if change != nil {
		change(&f.config)
	}
	f.open(t)
	t.Cleanup(func() { _ = f.store.Close() })
	return f
}

// open starts the service on the fixture's file.
func (f *fixture) open(t testing.TB) {
	t.Helper()
	store, err := bolt.Open(context.Background(), bolt.Config{Path: f.path, Logger: f.config.Logger})
	if err != nil {
		t.Fatal(err)
	}
	f.store, f.config.Store = store, store
	if f.svc, err = session.New(f.config); err != nil {
		t.Fatal(err)
	}
}

// beside starts another issuer on the fixture's store, whose clock differs by that much.
func (f *fixture) beside(t testing.TB, differs time.Duration) *fixture {
	t.Helper()
	other := *f
	other.clock = &clock{t: f.clock.now().Add(differs)}
	other.config.Now = other.clock.now
	var err error
	if other.svc, err = session.New(other.config); err != nil {
		t.Fatal(err)
	}
	return &other
}

// reopen closes the store and starts again, as a new process would.
func (f *fixture) reopen(t testing.TB) {
	t.Helper()
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	f.open(t)
}

// failer is what *testing.T, *testing.B and *rapid.T have in common.
type failer interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func (f *fixture) mint(t failer, user string) session.Grant {
	t.Helper()
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: user}, ClientID: "app"})
	if err != nil {
		t.Fatalf("mint: %v", err)
	}
	return g
}

func (f *fixture) refresh(t failer, token string) session.Grant {
	t.Helper()
	g, err := f.svc.Refresh(t.Context(), token, session.Device{})
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return g
}

func (f *fixture) holder(t failer, g session.Grant) session.Holder {
	t.Helper()
	h, err := f.svc.Authenticate(t.Context(), g.AccessToken)
	if err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	return h
}

// view returns a session with exact times, of which holders see less.
func (f *fixture) view(t failer, id sid.ID) session.View {
	t.Helper()
	v, err := f.svc.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return v
}

// wantDead fails if any of the refresh tokens is not refused as revoked.
func (f *fixture) wantDead(t failer, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		if _, err := f.svc.Refresh(t.Context(), token, session.Device{}); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("a token of an ended session: %v", err)
		}
	}
}

// sweep runs the sweeper until it finds no more work.
func (f *fixture) sweep(t failer) {
	t.Helper()
	for {
		more, err := f.svc.Sweep(t.Context())
		if err != nil {
			t.Fatalf("sweep: %v", err)
		}
		if !more {
			return
		}
	}
}

// facts returns the journal of the fixture's store.
func (f *fixture) facts(t failer) []fact.Fact {
	t.Helper()
	all, _, err := f.store.Facts(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatalf("reading the journal: %v", err)
	}
	return all
}

// ended counts the ends on record, by reason.
func (f *fixture) ended(t failer) map[session.Reason]int {
	t.Helper()
	count := map[session.Reason]int{}
	for _, entry := range f.facts(t) {
		if entry.Kind == fact.Ended {
			count[session.Reason(entry.What)]++
		}
	}
	return count
}

// revoked returns the revocations that verifiers learn of.
func (f *fixture) revoked(t failer) []revocation.Entry {
	t.Helper()
	entries, _, err := f.store.Revocations(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatalf("reading the revocations: %v", err)
	}
	return entries
}
