package keys_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
)

// takeChanges returns the changes since the last call.
func (s *store) takeChanges() []keys.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.changes
	s.changes = nil
	return changes
}

func (s *store) wantChanges(t *testing.T, step string, want ...keys.Change) {
	t.Helper()
	for i := range want {
		want[i].Algorithm = jwt.ES256
	}
	if diff := cmp.Diff(want, s.takeChanges()); diff != "" {
		t.Errorf("%s: %s", step, diff)
	}
}

// Each swap reports exactly the changes of state that it makes.
func TestChanges(t *testing.T) {
	ctx := context.Background()
	c, s := newClock(), newStore(t)
	m := open(t, config(t, s, c))
	first := kidOf(t, m)
	s.wantChanges(t, "the first key", keys.Change{KeyID: first, To: keys.Active, At: start})

	step(t, m)
	s.wantChanges(t, "nothing is due")

	second := rotate(t, m).ID
	s.wantChanges(t, "rotate", keys.Change{KeyID: second, To: keys.Pending, At: start})
	rotate(t, m)
	s.wantChanges(t, "rotate again")

	c.Add(time.Hour)
	if err := m.Promote(ctx, "", second); err != nil {
		t.Fatal(err)
	}
	s.wantChanges(t, "promote",
		keys.Change{KeyID: first, From: keys.Active, To: keys.Retiring, At: c.Now()},
		keys.Change{KeyID: second, From: keys.Pending, To: keys.Active, At: c.Now()})

	c.Add(time.Hour)
	step(t, m)
	s.wantChanges(t, "the last token has expired",
		keys.Change{KeyID: first, From: keys.Retiring, To: keys.Gone, At: c.Now()})

	c.Add(keys.DefaultRotateEvery)
	step(t, m)
	third := one(t, m, keys.Pending).ID
	s.wantChanges(t, "a rotation is due", keys.Change{KeyID: third, To: keys.Pending, At: c.Now()})

	if err := m.Revoke(ctx, "", second, "it leaked", noSessions); err != nil {
		t.Fatal(err)
	}
	s.wantChanges(t, "revoking the active key",
		keys.Change{KeyID: second, From: keys.Active, To: keys.Gone, At: c.Now(), Revoked: true, Reason: "it leaked"},
		keys.Change{KeyID: third, From: keys.Pending, To: keys.Active, At: c.Now()})

	if err := m.Revoke(ctx, "", third, "", noSessions); err != nil {
		t.Fatal(err)
	}
	fourth := kidOf(t, m)
	s.wantChanges(t, "revoking the only key, without a reason",
		keys.Change{KeyID: third, From: keys.Active, To: keys.Gone, At: c.Now(), Revoked: true},
		keys.Change{KeyID: fourth, To: keys.Active, At: c.Now()})

	if err := m.Revoke(ctx, "", third, "again", noSessions); err != nil {
		t.Fatal(err)
	}
	s.wantChanges(t, "revoking it again")
}

// A swap that only encrypts with a new secret, or raises a limit, reports no change.
func TestChangesOfNoKey(t *testing.T) {
	c, s := newClock(), newStore(t)
	cfg := config(t, s, c)
	open(t, cfg)
	s.takeChanges()
	before := s.stored(t).Version
	cfg.Secrets = append([]secret.Secret{newSecret(t)}, cfg.Secrets...)
	cfg.AccessLifetime = time.Hour
	open(t, cfg)
	if s.stored(t).Version == before {
		t.Fatal("nothing was stored")
	}
	s.wantChanges(t, "a new secret and a longer lifetime")
}

// After a lost race the changes are those of the repeated edit, on the newer keys.
func TestChangesAfterLostRace(t *testing.T) {
	ctx := context.Background()
	c, s := newClock(), newStore(t)
	cfg := config(t, s, c)
	ours, theirs := open(t, cfg), open(t, cfg)
	first := kidOf(t, ours)
	second := rotate(t, theirs).ID
	c.Add(time.Hour)
	s.takeChanges()
	s.set(func(s *store) {
		s.lose = func() {
			if err := theirs.Promote(ctx, "", second); err != nil {
				t.Error(err)
			}
			s.takeChanges()
		}
	})
	if err := ours.Revoke(ctx, "", first, "", noSessions); err != nil {
		t.Fatal(err)
	}
	s.wantChanges(t, "a revoke that lost a race with a promotion",
		keys.Change{KeyID: first, From: keys.Retiring, To: keys.Gone, At: c.Now(), Revoked: true})
}

// The last key to go may be the oldest, and the history full.
func TestChangesOfTheOldestKey(t *testing.T) {
	ctx := context.Background()
	c, s := newClock(), newStore(t)
	m := open(t, config(t, s, c))
	first := kidOf(t, m)
	for range 32 {
		if err := m.Revoke(ctx, "", rotate(t, m).ID, "not wanted", noSessions); err != nil {
			t.Fatal(err)
		}
	}
	s.takeChanges()
	if err := m.Revoke(ctx, "", first, "it leaked", noSessions); err != nil {
		t.Fatal(err)
	}
	s.wantChanges(t, "revoking the oldest key",
		keys.Change{KeyID: first, From: keys.Active, To: keys.Gone, At: c.Now(), Revoked: true, Reason: "it leaked"},
		keys.Change{KeyID: kidOf(t, m), To: keys.Active, At: c.Now()})
}
