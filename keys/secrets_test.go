package keys_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/keys"
	"issuer.example/secret"
)

// The secret of a running manager changes in two steps: afterwards nothing is sealed by the old
// one. In one step it is refused, because the old one still seals keys.
func TestUseSecrets(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	older, newer := cfg.Secrets[0], newSecret(t)
	m := open(t, cfg)
	rotate(t, m)
	list, before := m.List(), s.stored(t)

	use := func(secrets ...secret.Secret) error { return m.UseSecrets(t.Context(), secrets) }
	if err := use(newer); !errors.Is(err, keys.ErrWrongSecret) {
		t.Errorf("the new one alone: %v", err)
	}
	if err := use(); !errors.Is(err, keys.ErrConfig) {
		t.Errorf("none: %v", err)
	}
	if err := use(older, newer); err != nil {
		t.Errorf("the new one as second: %v", err)
	}
	if after := s.stored(t); after.Version != before.Version {
		t.Errorf("version %d is stored, want %d", after.Version, before.Version)
	}
	if err := use(newer, older); err != nil {
		t.Fatal(err)
	}
	if n := len(private(t, s.stored(t).Document, newer)); n != 2 {
		t.Errorf("%d keys are under the new secret, want 2", n)
	}
	if err := use(newer); err != nil {
		t.Errorf("the new one alone: %v", err)
	}
	if diff := cmp.Diff(list, m.List()); diff != "" {
		t.Error(diff)
	}
	if err := verify(mint(t, m, c, time.Second), m, c); err != nil {
		t.Error(err)
	}
	c.Add(31 * 24 * time.Hour) // the schedule seals with the new secret
	if err := m.Step(t.Context()); err != nil {
		t.Error(err)
	}
	cfg.Secrets = []secret.Secret{newer}
	open(t, cfg)
}

// A store that fails leaves a manager that reads whichever document is there.
func TestUseSecretsWhenTheStoreFails(t *testing.T) {
	for name, spoil := range map[string]func(*store){
		"down":                     func(s *store) { s.down = true },
		"a swap of unknown result": func(s *store) { s.unsure = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			c := newClock()
			cfg := config(t, s, c)
			m := open(t, cfg)
			newer := newSecret(t)
			s.set(spoil)
			if err := m.UseSecrets(t.Context(), []secret.Secret{newer, cfg.Secrets[0]}); !errors.Is(err, errStore) {
				t.Errorf("got %v, want %v", err, errStore)
			}
			s.set(func(s *store) { s.down = false })
			rotate(t, m)
			if err := verify(mint(t, m, c, time.Second), m, c); err != nil {
				t.Error(err)
			}
			if err := m.UseSecrets(t.Context(), []secret.Secret{newer, cfg.Secrets[0]}); err != nil {
				t.Error(err)
			}
			cfg.Secrets = []secret.Secret{newer}
			if got := open(t, cfg).List(); !slices.EqualFunc(got, m.List(), func(a, b keys.Key) bool { return a.ID == b.ID }) {
				t.Errorf("another start has %v", got)
			}
		})
	}
}

// Another issuer that changes the keys at the same time loses nothing.
func TestUseSecretsLosesRace(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	m, newer := open(t, cfg), newSecret(t)
	both := []secret.Secret{newer, cfg.Secrets[0]}
	cfg.Secrets = []secret.Secret{cfg.Secrets[0], newer}
	other := open(t, cfg)
	s.set(func(s *store) { s.lose = func() { rotate(t, other) } })
	if err := m.UseSecrets(t.Context(), both); err != nil {
		t.Fatal(err)
	}
	if n := len(private(t, s.stored(t).Document, newer)); n != 2 {
		t.Errorf("%d keys are under the new secret, want 2", n)
	}
}
