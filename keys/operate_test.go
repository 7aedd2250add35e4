package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	err := m.Promote(ctx, "", pending.ID)
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
		if err := m.Promote(ctx, "", pending.ID); err != nil {
			t.Fatal(err)
		}
	}
	if kidOf(t, m) != pending.ID || one(t, m, keys.Retiring).ID != first {
		t.Error("the promotion did not take place")
	}
	if err := m.Promote(ctx, "", first); !errors.Is(err, keys.ErrRetired) {
		t.Errorf("promoting a retiring key: %v", err)
	}
	if err := m.Promote(ctx, "", "nobody"); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("promoting an unknown key: %v", err)
	}
}

func TestRotateIsBounded(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	cfg.PublishBefore, cfg.AccessLifetime = 10*time.Second, time.Hour
	m := open(t, cfg)
	var err error
	for range 64 {
		if _, err = m.Rotate(context.Background(), ""); err != nil {
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
