package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/sid"
)

// window is the concurrency window of the services that the suite makes.
const window = 10 * time.Second

// service is a session service over a store, with a clock of its own.
type service struct {
	*session.Service
	*fixture

	mu  sync.Mutex
	now time.Time
}

func newService(t testing.TB, open Open) *service {
	t.Helper()
	s := &service{fixture: newFixture(t, open), now: start()}
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
	s.Service, err = session.New(session.Config{
		Store: s.fixture, IDs: sid.NewGenerator(s.time), Signer: signer, Keys: published,
		RefreshKeys: []session.RefreshKey{{ID: 1, Key: [32]byte{1}}},
		Issuer:      "https://auth.example", Audience: []string{"https://auth.example"}, AccessLifetime: time.Hour,
		AbsoluteTimeout: 1e6 * time.Hour, IdleTimeout: 1e6 * time.Hour,
		Refresh: session.RefreshPolicy{Window: window}, Now: s.time,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// at moves the clock.
func (s *service) at(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = t
}

func (s *service) wait(d time.Duration) { s.at(s.time().Add(d)) }

func (s *service) mint(t failer, user string) session.Grant {
	t.Helper()
	g, err := s.Mint(t.Context(), session.MintRequest{User: session.User{ID: user}, ClientID: "app"})
	if err != nil {
		t.Fatalf("mint: %v", err)
	}
	return g
}

// redeem redeems a token that is to be good.
func (s *service) redeem(t failer, token string) session.Grant {
	t.Helper()
	g, err := s.Refresh(t.Context(), token, session.Client{})
	if err != nil {
		t.Fatalf("an honest client was refused: %v", err)
	}
	return g
}

// wantDead fails if any of the refresh tokens still does anything.
func (s *service) wantDead(t failer, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		if _, err := s.Refresh(t.Context(), token, session.Client{}); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("a token of an ended session: %v", err)
		}
	}
}
