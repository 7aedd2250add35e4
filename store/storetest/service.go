package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

// concurrency is the concurrency window of the services.
const concurrency = 10 * time.Second

// services are issuers that share a store, each with a clock of its own, and keys.
type services struct {
	*fixture

	issuers []*session.Service
	offsets []time.Duration // of their clocks

	mu   sync.Mutex
	time time.Time
	next int // the issuer that is called next
}

func newServices(t testing.TB, harness Harness, clocks []time.Duration) *services {
	t.Helper()
	s := &services{fixture: newFixture(t, harness, len(clocks)), offsets: clocks, time: start()}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwt.NewSigner("k1", jwt.ES256, private)
	if err != nil {
		t.Fatal(err)
	}
	for i := range clocks {
		s.issuers = append(s.issuers, s.newService(t, &reopening{s.fixture, i}, signer, i))
	}
	return s
}

func (s *services) newService(t testing.TB, at session.Store, signer *jwt.Signer, issuer int) *session.Service {
	t.Helper()
	published, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	service, err := session.New(session.Config{
		Store: at, Signer: signer, Keys: published,
		RefreshKeys: []refresh.Key{{ID: 1, Key: [32]byte{1}}},
		Issuer:      "https://auth.example", Audience: []string{"https://auth.example"},
		AccessLifetime: time.Hour, Leeway: maxLeeway,
		AbsoluteTimeout: 1e6 * time.Hour, IdleTimeout: 1e6 * time.Hour, History: history,
		Refresh: refresh.Policy{Window: concurrency}, Now: func() time.Time { return s.clock(issuer) },
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// maxLeeway is what an issuer allows for the clock of another one that dated a token.
const maxLeeway = time.Minute

// spread is by how much the clocks of the issuers differ.
func (s *services) spread() time.Duration { return slices.Max(s.offsets) - slices.Min(s.offsets) }

// any returns one of the issuers, in turn.
func (s *services) any() *session.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.issuers[s.next%len(s.issuers)]
}

// clock is the time as an issuer sees it.
func (s *services) clock(issuer int) time.Time { return s.now().Add(s.offsets[issuer]) }

func (s *services) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

// set moves all clocks.
func (s *services) set(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = t
}

func (s *services) wait(d time.Duration) { s.set(s.now().Add(d)) }

func (s *services) mint(t failer, user string) session.Grant {
	t.Helper()
	g, err := s.any().Mint(t.Context(), session.MintRequest{User: session.User{ID: user}, ClientID: "app"})
	if err != nil {
		t.Fatalf("mint: %v", err)
	}
	return g
}

// redeem redeems a token that must be good.
func (s *services) redeem(t failer, token string) session.Grant {
	t.Helper()
	return s.redeemFrom(t, token, session.Device{})
}

// redeemFrom redeems a token, which must be good, from a place.
func (s *services) redeemFrom(t failer, token string, from session.Device) session.Grant {
	t.Helper()
	g, err := s.any().Refresh(t.Context(), token, from)
	if err != nil {
		t.Fatalf("an honest client was refused: %v", err)
	}
	return g
}

// wantDead fails if any of the refresh tokens still does anything, at any issuer.
func (s *services) wantDead(t failer, tokens ...string) {
	t.Helper()
	for _, issuer := range s.issuers {
		for _, token := range tokens {
			if _, err := issuer.Refresh(t.Context(), token, session.Device{}); !errors.Is(err, session.ErrRevoked) {
				t.Errorf("a token of an ended session: %v", err)
			}
		}
	}
}
