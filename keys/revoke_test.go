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

// Row T28: a revoked key is gone from the JWKS at once.
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
			if err := m.Revoke(ctx, "", target, "it leaked", noSessions); err != nil {
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
	if err := m.Revoke(ctx, "", only, "", noSessions); err != nil {
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
	if err := m.Revoke(ctx, "", only, "another reason", noSessions); err != nil {
		t.Errorf("revoking again: %v", err)
	}
	if s.stored(t).Version != before || find(t, m, only).Reason != "" {
		t.Error("revoking again changed something")
	}
	if err := m.Revoke(ctx, "", "nobody", "", noSessions); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("revoking an unknown key: %v", err)
	}
}

func TestRevokeReason(t *testing.T) {
	m := open(t, config(t, newStore(t), newClock()))
	kid := kidOf(t, m)
	for _, reason := range []string{strings.Repeat("a", 257), "a\nb", "a\x00", "\x1b[31m", "\xff", "\u202e"} {
		if err := m.Revoke(context.Background(), "", kid, reason, noSessions); !errors.Is(err, keys.ErrReason) {
			t.Errorf("reason %q: %v", reason, err)
		}
	}
	if kidOf(t, m) != kid {
		t.Error("a refused revocation took place")
	}
	if err := m.Revoke(context.Background(), "", kid, strings.Repeat("é", 128), noSessions); err != nil {
		t.Error(err)
	}
}

// Sessions are ended before the key is withdrawn, so that a failed call can be repeated, and
// again after it, so that verifiers fetch a JWKS without the key.
func TestRevokeEndsSessionsAroundTheKey(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	kid := kidOf(t, m)
	ctx, cancel := context.WithCancel(context.Background())
	var published []bool // whether the JWKS has the key, at each call
	endSessions := func(ctx context.Context) error {
		_, has := parseJWKS(t, m.JWKS()).Key(kid)
		published = append(published, has)
		cancel() // the caller goes away
		return ctx.Err()
	}
	if err := m.Revoke(ctx, "", kid, "it leaked", endSessions); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, false}, published); diff != "" {
		t.Error(diff)
	}
	published = nil
	for target, want := range map[string]error{kid: nil, "nobody": keys.ErrNotFound} {
		if err := m.Revoke(context.Background(), "", target, "again", endSessions); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", target, err, want)
		}
	}
	if err := m.Revoke(context.Background(), "", kidOf(t, m), "a\nb", endSessions); !errors.Is(err, keys.ErrReason) {
		t.Errorf("an invalid reason: %v", err)
	}
	if len(published) > 0 {
		t.Error("a call that revokes no key ends sessions")
	}
}

func TestRevokeWhenSessionsDoNotEnd(t *testing.T) {
	ctx := context.Background()
	s := newStore(t)
	m := open(t, config(t, s, newClock()))
	kid := kidOf(t, m)
	failAt := func(n int) func(context.Context) error {
		calls := 0
		return func(context.Context) error {
			if calls++; calls == n {
				return errStore
			}
			return nil
		}
	}
	err := m.Revoke(ctx, "", kid, "it leaked", failAt(1))
	if !errors.Is(err, errStore) || errors.Is(err, keys.ErrNotAnnounced) {
		t.Errorf("before the key: %v", err)
	}
	if kidOf(t, m) != kid {
		t.Error("the key was withdrawn, though no session was ended")
	}
	err = m.Revoke(ctx, "", kid, "it leaked", failAt(2))
	if !errors.Is(err, errStore) || !errors.Is(err, keys.ErrNotAnnounced) {
		t.Errorf("behind the key: %v", err)
	}
	if find(t, m, kid).State != keys.Gone {
		t.Error("the key was not withdrawn")
	}
}

// The key may be one that this manager has not read yet.
func TestRevokeKeyOfAnotherIssuer(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	ours, theirs := open(t, cfg), open(t, cfg)
	pending := rotate(t, theirs).ID
	if err := ours.Revoke(context.Background(), "", pending, "it leaked", noSessions); err != nil {
		t.Fatal(err)
	}
	if find(t, ours, pending).State != keys.Gone {
		t.Error("the key was not withdrawn")
	}
}
