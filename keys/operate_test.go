package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
	"issuer.example/keys"
)

func TestRotate(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	first := kidOf(t, m)
	pending := rotate(t, m)
	if pending.State != keys.Pending || pending.ID == first || pending.PublishedAt != start {
		t.Errorf("rotate made %+v", pending)
	}
	if _, ok := parseJWKS(t, m.JWKS()).Key(pending.ID); !ok {
		t.Error("the pending key is not in the JWKS")
	}
	c.Add(time.Minute)
	if diff := cmp.Diff(pending, rotate(t, m)); diff != "" {
		t.Errorf("a repeated rotate: %s", diff)
	}
	c.Add(time.Hour)
	step(t, m)
	if kidOf(t, m) != pending.ID {
		t.Error("the schedule does not promote the key")
	}
}

func TestPromote(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	first := one(t, m, keys.Active).ID
	pending := rotate(t, m)

	c.Add(time.Hour - time.Second)
	err := m.Promote(ctx, pending.ID)
	var early *keys.TooEarlyError
	if !errors.Is(err, keys.ErrTooEarly) || !errors.As(err, &early) {
		t.Fatalf("error %v, want a TooEarlyError", err)
	}
	if want := start.Add(time.Hour); !early.Until.Equal(want) || !strings.Contains(err.Error(), "2026-03-01T13:00:00Z") {
		t.Errorf("%q until %v, want %v", err, early.Until, want)
	}
	if kidOf(t, m) != first {
		t.Error("a refused promotion took place")
	}

	c.Add(time.Second)
	for range 2 { // the second time it is active already
		if err := m.Promote(ctx, pending.ID); err != nil {
			t.Fatal(err)
		}
	}
	if kidOf(t, m) != pending.ID || one(t, m, keys.Retiring).ID != first {
		t.Error("the promotion did not take place")
	}
	if err := m.Promote(ctx, first); !errors.Is(err, keys.ErrRetired) {
		t.Errorf("promoting a retiring key: %v", err)
	}
	if err := m.Promote(ctx, "nobody"); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("promoting an unknown key: %v", err)
	}
}

// T28: at once, wherever the JWKS is asked for.
func TestRevoke(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		name   string
		target keys.State
		signs  keys.State // what the signing key was before; empty for a new one
	}{
		{"active, with a pending key", keys.Active, keys.Pending},
		{"pending", keys.Pending, keys.Active},
		{"retiring", keys.Retiring, keys.Active},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			m := open(t, config(t, newStore(t), c))
			rotate(t, m)
			c.Add(time.Hour)
			step(t, m)
			rotate(t, m)
			target, signs := one(t, m, tt.target).ID, one(t, m, tt.signs).ID
			if err := m.Revoke(ctx, target, "it leaked"); err != nil {
				t.Fatal(err)
			}
			if got := kidOf(t, m); got != signs {
				t.Errorf("%s signs, want %s", got, signs)
			}
			k := find(t, m, target)
			if k.State != keys.Gone || k.Reason != "it leaked" || !k.GoneAt.Equal(c.Now()) {
				t.Errorf("the revoked key is %+v", k)
			}
			if _, ok := parseJWKS(t, m.JWKS()).Key(target); ok {
				t.Error("the revoked key is in the JWKS")
			}
			if _, ok := m.Key(target); ok {
				t.Error("the revoked key still verifies")
			}
		})
	}
}

func TestRevokeTheOnlyKey(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	s := newStore(t)
	m := open(t, config(t, s, c))
	token := mint(t, m, c, time.Minute)
	only := one(t, m, keys.Active).ID
	if err := m.Revoke(ctx, only, ""); err != nil {
		t.Fatal(err)
	}
	if one(t, m, keys.Active).ID == only {
		t.Error("the revoked key still signs")
	}
	if err := verify(mint(t, m, c, time.Minute), parseJWKS(t, m.JWKS()), c); err != nil {
		t.Errorf("a token of the key that stands in: %v", err)
	}
	if err := verify(token, parseJWKS(t, m.JWKS()), c); !errors.Is(err, jwt.ErrUnknownKey) {
		t.Errorf("a token of the revoked key: %v", err)
	}
	before := s.stored(t).Version
	if err := m.Revoke(ctx, only, "another reason"); err != nil {
		t.Errorf("revoking again: %v", err)
	}
	if s.stored(t).Version != before || find(t, m, only).Reason != "" {
		t.Error("revoking again changed something")
	}
	if err := m.Revoke(ctx, "nobody", ""); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("revoking an unknown key: %v", err)
	}
}

func TestRevokeReason(t *testing.T) {
	m := open(t, config(t, newStore(t), newClock()))
	kid := kidOf(t, m)
	for _, reason := range []string{strings.Repeat("a", 257), "a\nb", "a\x00", "\x1b[31m", "\xff", "\u202e"} {
		if err := m.Revoke(context.Background(), kid, reason); !errors.Is(err, keys.ErrReason) {
			t.Errorf("reason %q: %v", reason, err)
		}
	}
	if kidOf(t, m) != kid {
		t.Error("a refused revocation took place")
	}
	if err := m.Revoke(context.Background(), kid, strings.Repeat("é", 128)); err != nil {
		t.Error(err)
	}
}

func TestRotateIsBounded(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	cfg.PublishBefore, cfg.AccessLifetime = 10*time.Second, time.Hour
	m := open(t, cfg)
	var err error
	for range 64 {
		if _, err = m.Rotate(context.Background()); err != nil {
			break
		}
		c.Add(10 * time.Second)
		step(t, m)
	}
	if !errors.Is(err, keys.ErrTooMany) {
		t.Errorf("error %v, want ErrTooMany", err)
	}
	if n := len(parseJWKS(t, m.JWKS()).Keys()); n != 32 {
		t.Errorf("%d keys are published, want 32", n)
	}
	c.Add(2 * time.Hour)
	step(t, m)
	rotate(t, m)
}

func TestMintRefusesToOutliveItsKey(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	if _, err := m.Mint(claims(c.Now(), 5*time.Minute+time.Second)); !errors.Is(err, keys.ErrLifetime) {
		t.Errorf("error %v, want ErrLifetime", err)
	}
	mint(t, m, c, 5*time.Minute)
}
