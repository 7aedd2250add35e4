package keys_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"issuer.example/keys"
)

// fallBack has a store lose what was stored after a document: a standby takes over that lagged behind.
func (s *store) fallBack(t *testing.T, to keys.Stored) {
	t.Helper()
	older := newStore(t).Store
	for version := range to.Version {
		if err := older.SwapKeys(t.Context(), version, to.Document, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.set(func(s *store) { s.Store = older })
}

// What an issuer knows of the keys is stored again by its next step after the store has lost it, and others follow.
func TestLostSwapIsWrittenAgain(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func(*testing.T, *keys.Manager, *clock){
		"a revocation": func(t *testing.T, m *keys.Manager, _ *clock) {
			t.Helper()
			if err := m.Revoke(ctx, "", kidOf(t, m), "it leaked", noSessions); err != nil {
				t.Fatal(err)
			}
		},
		"a publication": func(t *testing.T, m *keys.Manager, _ *clock) { t.Helper(); rotate(t, m) },
		"a rotation": func(t *testing.T, m *keys.Manager, c *clock) {
			t.Helper()
			rotate(t, m)
			c.Add(2 * keys.DefaultPublishBefore)
			step(t, m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newStore(t), newClock()
			cfg := config(t, s, c)
			m, other := open(t, cfg), open(t, cfg)
			first, old := kidOf(t, m), s.stored(t)
			change(t, m, c)
			known := states(m)
			s.fallBack(t, old)
			step(t, m, other)
			if got := states(m); !maps.Equal(got, known) {
				t.Errorf("the keys are %v, and were %v", got, known)
			}
			if got := states(other); !maps.Equal(got, known) {
				t.Errorf("another issuer has %v, want %v", got, known)
			}
			if _, published := parseJWKS(t, other.JWKS()).Key(kidOf(t, m)); !published {
				t.Error("another issuer does not publish the key that signs")
			}
			if _, published := m.Key(first); published != (known[first] != keys.Gone) {
				t.Errorf("the first key, which is %s, is published: %v", known[first], published)
			}
		})
	}
}

// A key that has to be published again waits for the caches again.
func TestLostPublicationWaitsAgain(t *testing.T) {
	s, c := newStore(t), newClock()
	m := open(t, config(t, s, c))
	first, old := kidOf(t, m), s.stored(t)
	rotate(t, m)
	c.Add(keys.DefaultPublishBefore - time.Second)
	s.fallBack(t, old)
	step(t, m)
	c.Add(time.Minute)
	step(t, m)
	if kidOf(t, m) != first {
		t.Error("it signs with a key that other issuers have published for a minute")
	}
	c.Add(keys.DefaultPublishBefore)
	step(t, m)
	if kidOf(t, m) == first {
		t.Error("the key never signs")
	}
}

// Two issuers have made the same version of different keys, because the store has lost one of them. Afterwards both
// publish what either has signed with, and one key signs.
func TestSameVersionOfOtherKeys(t *testing.T) {
	revoke := func(t *testing.T, m *keys.Manager) {
		t.Helper()
		if err := m.Revoke(t.Context(), "", kidOf(t, m), "it leaked", noSessions); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(*testing.T, *keys.Manager){
		"a publication": func(t *testing.T, m *keys.Manager) { t.Helper(); rotate(t, m) },
		"a revocation":  revoke,
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newStore(t), newClock()
			cfg := config(t, s, c)
			a, b := open(t, cfg), open(t, cfg)
			leaked, old := kidOf(t, a), s.stored(t)
			revoke(t, a)
			c.Add(time.Second)
			s.fallBack(t, old)
			change(t, b)
			signed := []string{kidOf(t, a), kidOf(t, b)}
			step(t, a, b)
			if kidOf(t, a) != kidOf(t, b) {
				t.Errorf("%s and %s sign", kidOf(t, a), kidOf(t, b))
			}
			for _, m := range []*keys.Manager{a, b} {
				if find(t, m, leaked).State != keys.Gone {
					t.Error("the revoked key came back")
				}
				for _, kid := range signed {
					if _, published := m.Key(kid); !published && kid != leaked {
						t.Errorf("%s, which has signed, is not published", kid)
					}
				}
			}
			after := s.stored(t).Version
			step(t, a, b, a, b)
			if s.stored(t).Version != after {
				t.Error("they go on to write")
			}
		})
	}
}

// An issuer never writes over a document that it cannot open.
func TestForeignDocumentStays(t *testing.T) {
	s, c := newStore(t), newClock()
	m := open(t, config(t, s, c))
	rotate(t, m)
	foreign := newStore(t)
	open(t, config(t, foreign, c))
	s.set(func(s *store) { s.Store = foreign.Store })
	if err := m.Step(t.Context()); !errors.Is(err, keys.ErrWrongSecret) {
		t.Errorf("error %v, want ErrWrongSecret", err)
	}
	if foreign.stored(t).Version != 1 {
		t.Error("it was replaced")
	}
}

func states(m *keys.Manager) map[string]keys.State {
	all := map[string]keys.State{}
	for _, k := range m.List() {
		all[k.ID] = k.State
	}
	return all
}
