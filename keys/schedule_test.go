package keys_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
)

const day = 24 * time.Hour

func TestFirstKeySignsAtOnce(t *testing.T) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		t.Run(string(alg), func(t *testing.T) {
			c := newClock()
			cfg := config(t, newStore(t), c)
			cfg.Algorithm = alg
			m := open(t, cfg)
			first := one(t, m, keys.Active)
			want := keys.Key{
				ID: first.ID, Algorithm: alg, State: keys.Active,
				CreatedAt: start, PublishedAt: start, ActivatedAt: start,
			}
			if diff := cmp.Diff([]keys.Key{want}, m.List()); diff != "" {
				t.Error(diff)
			}
			if err := verify(mint(t, m, c, time.Minute), parseJWKS(t, m.JWKS()), c); err != nil {
				t.Error(err)
			}
			if err := m.Ready(); err != nil {
				t.Error(err)
			}
			again := open(t, cfg)
			if diff := cmp.Diff(m.List(), again.List()); diff != "" {
				t.Errorf("after a restart: %s", diff)
			}
			if err := verify(mint(t, again, c, time.Minute), m, c); err != nil {
				t.Error(err)
			}
		})
	}
}

// The life of a key: it is published an hour before it signs, signs for thirty days, and
// stays published until its last token has expired.
func TestSchedule(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	first := one(t, m, keys.Active)

	c.Add(30*day - time.Hour - time.Second)
	step(t, m)
	if n := len(m.List()); n != 1 {
		t.Fatalf("%d keys before the rotation is due", n)
	}
	c.Add(time.Second)
	step(t, m)
	second := one(t, m, keys.Pending)
	if kidOf(t, m) != first.ID {
		t.Error("a pending key signs")
	}

	c.Add(time.Hour - time.Second)
	step(t, m)
	if kidOf(t, m) != first.ID {
		t.Error("a key signs before it was published for publish_before")
	}
	token := mint(t, m, c, 5*time.Minute)
	c.Add(time.Second)
	step(t, m)
	if kidOf(t, m) != second.ID {
		t.Error("the pending key does not sign when it is time")
	}

	c.Add(5*time.Minute - 2*time.Second)
	step(t, m)
	if err := verify(token, parseJWKS(t, m.JWKS()), c); err != nil {
		t.Errorf("the last token of the retiring key: %v", err)
	}
	c.Add(2*time.Minute + time.Second) // the margin
	step(t, m)
	if one(t, m, keys.Retiring).ID != first.ID {
		t.Error("the retiring key left before its time")
	}
	c.Add(time.Second)
	step(t, m)
	promoted := start.Add(30 * day)
	want := []keys.Key{
		{
			ID: first.ID, Algorithm: jwt.ES256, State: keys.Gone, CreatedAt: start, PublishedAt: start, ActivatedAt: start,
			RetiringAt: promoted, GoneAt: promoted.Add(7 * time.Minute),
		},
		{
			ID: second.ID, Algorithm: jwt.ES256, State: keys.Active,
			CreatedAt: promoted.Add(-time.Hour), PublishedAt: promoted.Add(-time.Hour), ActivatedAt: promoted,
		},
	}
	if diff := cmp.Diff(want, m.List()); diff != "" {
		t.Error(diff)
	}
	if _, ok := m.Key(first.ID); ok {
		t.Error("a key that is gone still verifies")
	}
}

// A process that was suspended for long takes one step of the schedule at a time.
func TestStepAfterALongSleep(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	first := one(t, m, keys.Active).ID
	c.Add(365 * day)
	step(t, m)
	if kidOf(t, m) != first || one(t, m, keys.Pending).PublishedAt != c.Now() {
		t.Error("a new key signs that nobody has seen")
	}
}

func TestAlgorithmChangeRotatesAtOnce(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	open(t, cfg)
	cfg.Algorithm = jwt.EdDSA
	m := open(t, cfg)
	if got := one(t, m, keys.Active).Algorithm; got != jwt.ES256 {
		t.Errorf("the active key is %s before the new one was published", got)
	}
	if got := one(t, m, keys.Pending).Algorithm; got != jwt.EdDSA {
		t.Errorf("the pending key is %s", got)
	}
	c.Add(time.Hour)
	step(t, m)
	if err := verify(mint(t, m, c, time.Minute), parseJWKS(t, m.JWKS()), c); err != nil {
		t.Error(err)
	}
	if got := one(t, m, keys.Active).Algorithm; got != jwt.EdDSA {
		t.Errorf("the active key is %s in the end", got)
	}
}

// The key of a token stays published even if the lifetime is shortened after the mint.
func TestShorterLifetimeKeepsOldPromises(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	open(t, cfg)
	cfg.AccessLifetime = time.Hour
	m := open(t, cfg)
	rotate(t, m)
	c.Add(time.Hour)
	token := mint(t, m, c, time.Hour)
	cfg.AccessLifetime = time.Minute
	m = open(t, cfg)
	if len(in(m, keys.Retiring)) != 1 {
		t.Fatal("the old key is not retiring")
	}
	c.Add(time.Hour - time.Second)
	step(t, m)
	if err := verify(token, parseJWKS(t, m.JWKS()), c); err != nil {
		t.Error(err)
	}
}

// A JWKS that was served with a long max-age is still in caches after a restart with a short
// one.
func TestShorterMaxAgeKeepsOldPromises(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	cfg.PublishBefore, cfg.MaxAge = 10*time.Hour, 9*time.Hour
	cached := parseJWKS(t, open(t, cfg).JWKS())
	cfg.PublishBefore, cfg.MaxAge = time.Minute, 0
	m := open(t, cfg)
	rotate(t, m)
	for range 9 * 60 {
		c.Add(time.Minute - time.Second)
		step(t, m)
		if err := verify(mint(t, m, c, time.Second), cached, c); err != nil {
			t.Fatalf("%v after the restart: %v", c.Now().Sub(start), err)
		}
	}
}

// The same is true when the first key with the short max-age never signs.
func TestShorterMaxAgeOutlivesAKey(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	cfg.PublishBefore, cfg.MaxAge = 10*time.Hour, 9*time.Hour
	m := open(t, cfg)
	cached := parseJWKS(t, m.JWKS())
	cfg.PublishBefore, cfg.MaxAge = time.Minute, 0
	m = open(t, cfg)
	if err := m.Revoke(context.Background(), "", rotate(t, m).ID, "not wanted", noSessions); err != nil {
		t.Fatal(err)
	}
	rotate(t, m)
	c.Add(9*time.Hour - time.Second)
	step(t, m)
	if err := verify(mint(t, m, c, time.Second), cached, c); err != nil {
		t.Error(err)
	}
}

func TestClockGoesBack(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	pending := rotate(t, m)
	c.Add(-day)
	step(t, m)
	c.Add(time.Hour)
	step(t, m)
	if one(t, m, keys.Pending).ID != pending.ID {
		t.Error("the key was promoted early")
	}
	c.Add(day)
	step(t, m)
	c.Add(-day)
	step(t, m)
	c.Add(10 * time.Minute)
	step(t, m)
	if len(in(m, keys.Retiring)) != 1 {
		t.Error("the retiring key was dropped early")
	}
	rotate(t, m)
	c.Add(time.Hour)
	step(t, m) // the key that began to sign in the future retires
	for _, k := range m.List() {
		last := k.CreatedAt
		for _, next := range []time.Time{k.PublishedAt, k.ActivatedAt, k.RetiringAt, k.GoneAt} {
			if !next.IsZero() && next.Before(last) {
				t.Errorf("history runs backwards: %+v", k)
			}
			last = next
		}
	}
	if k := find(t, m, pending.ID); k.State != keys.Retiring {
		t.Errorf("the key is %s", k.State)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	c := newClock()
	s := newStore(t)
	m := open(t, config(t, s, c))
	for range 50 {
		if err := m.Revoke(context.Background(), "", one(t, m, keys.Active).ID, "again", noSessions); err != nil {
			t.Fatal(err)
		}
		c.Add(time.Second)
	}
	if n := len(in(m, keys.Gone)); n != 32 {
		t.Errorf("%d keys that are gone are kept, want 32", n)
	}
	if gone := in(m, keys.Gone); !gone[0].GoneAt.After(start) {
		t.Error("the oldest history was kept, not the newest")
	}
	if n := len(s.stored(t).Document); n > 32<<10 {
		t.Errorf("the document has %d bytes", n)
	}
}

// The last key to go may be the oldest: it stays in the history.
func TestHistoryKeepsTheLastToGo(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	first := kidOf(t, m)
	for range 32 {
		if err := m.Revoke(ctx, "", rotate(t, m).ID, "not wanted", noSessions); err != nil {
			t.Fatal(err)
		}
		c.Add(time.Second)
	}
	if err := m.Revoke(ctx, "", first, "it leaked", noSessions); err != nil {
		t.Fatal(err)
	}
	if k := find(t, m, first); k.Reason != "it leaked" {
		t.Errorf("the history has %+v", k)
	}
}

func TestConfigFaults(t *testing.T) {
	c := newClock()
	s := newStore(t)
	tests := []struct {
		name   string
		change func(*keys.Config)
	}{
		{"no store", func(c *keys.Config) { c.Store = nil }},
		{"no secret", func(c *keys.Config) { c.Secrets = nil }},
		{"an empty secret", func(c *keys.Config) { c.Secrets = append(c.Secrets, c.Secrets[0], secret.Secret{}) }},
		{"algorithm", func(c *keys.Config) { c.Algorithm = "HS256" }},
		{"publish_before below 10s", func(c *keys.Config) { c.PublishBefore = 9 * time.Second }},
		{"publish_before below max-age", func(c *keys.Config) { c.MaxAge = 2 * time.Hour }},
		{"publish_before without margin", func(c *keys.Config) { c.MaxAge = time.Hour - time.Minute }},
		{"max-age of half a second", func(c *keys.Config) { c.MaxAge = 1500 * time.Millisecond }},
		{"negative max-age", func(c *keys.Config) { c.MaxAge = -time.Second }},
		{"rotate_every", func(c *keys.Config) { c.RotateEvery = time.Hour }},
		{"negative lifetime", func(c *keys.Config) { c.AccessLifetime = -1 }},
		{"leeway", func(c *keys.Config) { c.Leeway = 61 * time.Second }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t, s, c)
			tt.change(&cfg)
			if _, err := keys.Open(t.Context(), cfg); !errors.Is(err, keys.ErrConfig) {
				t.Errorf("error %v, want ErrConfig", err)
			}
		})
	}
	if v := s.stored(t).Version; v != 0 {
		t.Errorf("a refused configuration stored version %d", v)
	}
}
