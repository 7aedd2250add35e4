package keys_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
)

// skewed is the clock of an issuer that is ahead of the others, or behind.
func skewed(c *clock, by time.Duration) func() time.Time {
	return func() time.Time { return c.Now().Add(by) }
}

// Four issuers whose clocks differ by half of the margin share a store. Whatever document a cache got from
// whichever of them verifies, until it has to be fetched again, each token that any of them signs. One
// of them is cut from the store again and again.
func TestSkewedIssuersSignWhatCachesKnow(t *testing.T) {
	const publishBefore = 10 * time.Minute // a margin of a minute
	var (
		c     = newClock()
		cut   = newStore(t)
		cfg   = config(t, cut.Store, c)
		all   []*keys.Manager
		skews = []time.Duration{0, 15 * time.Second, -15 * time.Second, -10 * time.Second}
	)
	cfg.PublishBefore, cfg.RotateEvery = publishBefore, 30*24*time.Hour
	cfg.MaxAge = publishBefore - time.Minute // as long as it may be
	for i, skew := range skews {
		own := cfg
		own.Now = skewed(c, skew)
		if i == len(skews)-1 {
			own.Store = cut
		}
		all = append(all, open(t, own))
	}
	type document struct {
		keys    *jwt.KeySet
		expires time.Time
	}
	var (
		cached          []document
		signed, refused int
	)
	end := rounds.Rounds(t, 90, 360) * 60
	for second := 0; second < end; second += 5 {
		c.Add(5 * time.Second)
		cut.set(func(s *store) { s.down = second/60%20 > 10 })
		if second%(17*60) == 0 { // by the one that is behind, too, so that one ahead finds it early
			rotate(t, all[second/(17*60)%3])
		}
		for i, m := range all {
			if (second/5+i)%3 == 0 { // each at its own times, at least four times in a margin
				if err := m.Step(t.Context()); err != nil && !errors.Is(err, errStore) {
					t.Fatal(err)
				}
			}
			if doc := m.JWKS(); second%20 == 0 && doc.MaxAge > 0 {
				cached = append(cached, document{parseJWKS(t, doc), c.Now().Add(doc.MaxAge)})
			}
		}
		cached = slices.DeleteFunc(cached, func(d document) bool { return d.expires.Before(c.Now()) })
		if second%30 != 0 {
			continue
		}
		for _, m := range all {
			_, kid, err := m.Sign("test+jwt", []byte(`{}`))
			if errors.Is(err, keys.ErrNotReady) {
				refused++
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			signed++
			for _, doc := range cached {
				if _, known := doc.keys.Key(kid); !known {
					t.Fatalf("after %d s a cache does not know a key that signs", second)
				}
			}
		}
	}
	if versions := cut.stored(t).Version; versions < 8 || signed == 0 || refused == 0 {
		t.Errorf("%d swaps, %d signatures, %d refusals", versions, signed, refused)
	}
}

// Of many issuers that rotate at once, one makes the key.
func TestOneWinnerOfARotation(t *testing.T) {
	cfg := config(t, newStore(t), newClock())
	managers := make([]*keys.Manager, 8)
	for i := range managers {
		managers[i] = open(t, cfg)
	}
	pending := make([]string, len(managers))
	var all sync.WaitGroup
	for i, m := range managers {
		all.Go(func() {
			k, err := m.Rotate(context.Background(), "")
			if err != nil {
				t.Error(err)
			}
			pending[i] = k.ID
		})
	}
	all.Wait()
	if n := len(slices.Compact(slices.Sorted(slices.Values(pending)))); n != 1 {
		t.Errorf("%d keys were made by %d rotations at once", n, len(managers))
	}
}

// An issuer that is woken follows a revocation at once, and after the store has failed within a second.
func TestWake(t *testing.T) {
	for name, down := range map[string]bool{"at once": false, "after a failure": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t)
				cfg := keys.Config{Store: s, Secrets: []secret.Secret{newSecret(t)}}
				there := open(t, keys.Config{Store: s.Store, Secrets: cfg.Secrets})
				here := open(t, cfg)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- here.Run(ctx) }()
				leaked := kidOf(t, here)
				if err := there.Revoke(t.Context(), "", leaked, "it leaked", noSessions); err != nil {
					t.Fatal(err)
				}
				s.set(func(s *store) { s.down = down })
				here.Wake()
				here.Wake() // a second one changes nothing
				synctest.Wait()
				if down {
					s.set(func(s *store) { s.down = false })
					pass(time.Second)
				}
				if kidOf(t, here) == leaked || find(t, here, leaked).State != keys.Gone {
					t.Error("the revoked key signs")
				}
				if _, known := here.Key(leaked); known {
					t.Error("the revoked key verifies")
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A refresh sees what another issuer revoked before it.
func TestRefresh(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	there, here := open(t, cfg), open(t, cfg)
	for range 3 {
		leaked := kidOf(t, there)
		if err := there.Revoke(t.Context(), "", leaked, "it leaked", noSessions); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := here.Refresh(t.Context()); err != nil {
					t.Error(err)
				} else if _, known := parseJWKS(t, here.JWKS()).Key(leaked); known {
					t.Error("the revoked key is published")
				}
			})
		}
		all.Wait()
	}
	s.set(func(s *store) { s.down = true })
	if err := here.Refresh(t.Context()); !errors.Is(err, keys.ErrNotReady) || !errors.Is(err, errStore) {
		t.Errorf("without the store: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := here.Refresh(ctx); err == nil {
		t.Error("the context is ignored")
	}
}
