package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
	"issuer.example/store/bolt"
)

const issuer = "https://issuer.test"

var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var errStore = errors.New("the store is out of order")

// store is the real store on a file, behind a layer that injects faults.
type store struct {
	keys.Store
	mu     sync.Mutex
	down   bool   // nothing answers
	unsure int    // how many swaps are done but return an error
	lose   func() // runs before a swap, once
	// changes are the changes of all swaps that were done.
	changes []keys.Change
}

func newStore(t *testing.T) *store {
	t.Helper()
	return &store{Store: openBolt(t, filepath.Join(t.TempDir(), "issuer.db"))}
}

func openBolt(t *testing.T, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(context.Background(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func (s *store) set(change func(*store)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *store) LoadKeys(ctx context.Context) (keys.Stored, error) {
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down {
		return keys.Stored{}, errStore
	}
	return s.Store.LoadKeys(ctx)
}

func (s *store) SwapKeys(ctx context.Context, from uint64, document []byte, changes []keys.Change) error {
	s.mu.Lock()
	down, lose, unsure := s.down, s.lose, s.unsure > 0
	s.lose = nil
	if unsure {
		s.unsure--
	}
	s.mu.Unlock()
	if down {
		return errStore
	}
	if lose != nil {
		lose()
	}
	err := s.Store.SwapKeys(ctx, from, document, changes)
	if err == nil {
		s.set(func(s *store) { s.changes = append(s.changes, changes...) })
	}
	if err == nil && unsure {
		return errStore
	}
	return err
}

func (s *store) stored(t *testing.T) keys.Stored {
	t.Helper()
	stored, err := s.Store.LoadKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func newSecret(t testing.TB) secret.Secret {
	t.Helper()
	s, err := secret.Parse([]byte(secret.Generate()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// config returns a configuration with defaults for this store and clock.
func config(t testing.TB, s keys.Store, c *clock) keys.Config {
	t.Helper()
	return keys.Config{Store: s, Secrets: []secret.Secret{newSecret(t)}, Now: c.Now}
}

func open(t testing.TB, cfg keys.Config) *keys.Manager {
	t.Helper()
	m, err := keys.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func step(t testing.TB, managers ...*keys.Manager) {
	t.Helper()
	for _, m := range managers {
		if err := m.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func rotate(t testing.TB, m *keys.Manager) keys.Key {
	t.Helper()
	k, err := m.Rotate(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// in returns the keys in a state.
func in(m *keys.Manager, state keys.State) []keys.Key {
	var found []keys.Key
	for _, k := range m.List() {
		if k.State == state {
			found = append(found, k)
		}
	}
	return found
}

// one returns the only key in a state.
func one(t testing.TB, m *keys.Manager, state keys.State) keys.Key {
	t.Helper()
	found := in(m, state)
	if len(found) != 1 {
		t.Fatalf("%d keys are %s, want 1: %+v", len(found), state, m.List())
	}
	return found[0]
}

func find(t testing.TB, m *keys.Manager, kid string) keys.Key {
	t.Helper()
	for _, k := range m.List() {
		if k.ID == kid {
			return k
		}
	}
	t.Fatalf("no key %s", kid)
	return keys.Key{}
}

func claims(now time.Time, life time.Duration) *jwt.Claims {
	return &jwt.Claims{
		Issuer: issuer, Subject: "u1", Audience: []string{issuer}, ClientID: "app", ID: "jti", SessionID: "sid",
		IssuedAt: now, Expiry: now.Add(life), AuthTime: now,
	}
}

func mint(t testing.TB, m *keys.Manager, c *clock, life time.Duration) string {
	t.Helper()
	token, err := m.Mint(claims(c.Now(), life))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// verify verifies a token as a service with these keys does.
func verify(token string, with jwt.Keys, c *clock) error {
	v, err := jwt.NewVerifier(jwt.VerifierConfig{Issuer: issuer, Audience: []string{issuer}, Keys: with, Now: c.Now})
	if err != nil {
		return err
	}
	_, err = v.Verify(token)
	return err
}

func parseJWKS(t testing.TB, doc keys.Document) *jwt.KeySet {
	t.Helper()
	set, err := jwt.ParseJWKS(doc.Body)
	if err != nil {
		t.Fatalf("%v in %s", err, doc.Body)
	}
	return set
}

func kidOf(t testing.TB, m *keys.Manager) string {
	t.Helper()
	token, kid, err := m.Sign("test+jwt", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	header, payload, err := jwt.VerifySignature(token, m)
	if err != nil || !bytes.Equal(payload, []byte("{}")) {
		t.Fatalf("reading back what was signed: %q, %v", payload, err)
	}
	if header.KeyID != kid {
		t.Fatalf("Sign names the key %s, the header %s", kid, header.KeyID)
	}
	return kid
}

// noSessions ends the sessions of an issuer that has none.
func noSessions(context.Context) error { return nil }
