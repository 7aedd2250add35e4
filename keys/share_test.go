package keys_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/keys"
)

func TestIssuersThatStartTogetherShareOneKey(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	managers := make([]*keys.Manager, 8)
	var wg sync.WaitGroup
	for i := range managers {
		wg.Go(func() { managers[i], _ = keys.Open(context.Background(), cfg) })
	}
	wg.Wait()
	for i, m := range managers {
		if m == nil {
			t.Fatalf("issuer %d did not start", i)
		}
		if diff := cmp.Diff(managers[0].List(), m.List()); diff != "" {
			t.Errorf("issuer %d has other keys: %s", i, diff)
		}
	}
	if v := s.stored(t).Version; v != 1 {
		t.Errorf("version %d is stored, want 1", v)
	}
}

// Row O13: rotation under load, by several issuers at once. Every token verifies with the
// JWKS that any of them served before the mint.
func TestRotationUnderLoad(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	managers := []*keys.Manager{open(t, cfg), open(t, cfg), open(t, cfg)}
	tokens := rounds.Rounds(t, 5, 20)
	for range 30 {
		var wg sync.WaitGroup
		for i, m := range managers {
			wg.Go(func() {
				if err := m.Step(context.Background()); err != nil {
					t.Error(err)
				}
				if _, err := m.Rotate(context.Background(), ""); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				with, other := parseJWKS(t, managers[(i+1)%3].JWKS()), managers[(i+2)%3]
				for range tokens {
					token, err := m.Mint(claims(c.Now(), time.Minute))
					if err != nil {
						t.Error(err)
						return
					}
					if err := errors.Join(verify(token, with, c), verify(token, other, c)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		c.Add(15 * time.Minute)
		step(t, managers...) // the schedule runs many times in 15 minutes
	}
	if got := managers[0].List(); len(got) < 5 {
		t.Errorf("only %d keys: nothing was rotated", len(got))
	}
}

func TestLostRace(t *testing.T) {
	ctx := context.Background()
	s := newStore(t)
	cfg := config(t, s, newClock())
	ours, theirs := open(t, cfg), open(t, cfg)
	active := kidOf(t, ours)
	s.set(func(s *store) {
		s.lose = func() {
			if err := theirs.Revoke(ctx, "", active, "they were first", noSessions); err != nil {
				t.Error(err)
			}
		}
	})
	pending := rotate(t, ours)
	if got := find(t, ours, active); got.Reason != "they were first" {
		t.Errorf("the lost race was overwritten: %+v", got)
	}
	if got := one(t, ours, keys.Pending).ID; got != pending.ID {
		t.Errorf("%s is pending, want %s", got, pending.ID)
	}
	step(t, theirs)
	if diff := cmp.Diff(ours.List(), theirs.List()); diff != "" {
		t.Error(diff)
	}
}

func TestRaceThatIsNeverWon(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	m := open(t, cfg)
	before := m.List()
	s.set(func(s *store) { s.Store = alwaysLate{s.Store} })
	if _, err := m.Rotate(context.Background(), ""); !errors.Is(err, keys.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
	if diff := cmp.Diff(before, m.List()); diff != "" {
		t.Error(diff)
	}
}

// alwaysLate loses every race.
type alwaysLate struct{ keys.Store }

func (alwaysLate) SwapKeys(context.Context, uint64, []byte, []keys.Change) error {
	return keys.ErrConflict
}

// The next step finds a swap that was done but returned an error.
func TestUnsureSwap(t *testing.T) {
	ctx := context.Background()
	s := newStore(t)
	m := open(t, config(t, s, newClock()))
	active := kidOf(t, m)
	s.set(func(s *store) { s.unsure = 1 })
	if err := m.Revoke(ctx, "", active, "it leaked", noSessions); !errors.Is(err, errStore) {
		t.Fatalf("error %v, want the store's", err)
	}
	step(t, m)
	if got := find(t, m, active); got.State != keys.Gone {
		t.Errorf("the key is %s", got.State)
	}
	if kidOf(t, m) == active {
		t.Error("the revoked key signs")
	}
}

// While the store fails an issuer signs for a short time only, since another one may have
// revoked the key, and the max-age of its JWKS falls.
func TestStoreAway(t *testing.T) {
	s := newStore(t)
	c := newClock()
	m := open(t, config(t, s, c))
	s.set(func(s *store) { s.down = true })

	c.Add(time.Minute)
	if err := m.Ready(); err != nil {
		t.Errorf("after a minute: %v", err)
	}
	if got := m.JWKS().MaxAge; got != 15*time.Minute {
		t.Errorf("max-age %v after a minute", got)
	}
	c.Add(time.Second)
	if err := m.Ready(); !errors.Is(err, keys.ErrNotReady) || !errors.Is(err, errStore) {
		t.Errorf("after more than a minute: %v", err)
	}
	if _, err := m.Mint(claims(c.Now(), time.Minute)); !errors.Is(err, keys.ErrNotReady) {
		t.Errorf("minting: %v", err)
	}
	c.Add(50 * time.Minute)
	if got := m.JWKS().MaxAge; got >= 15*time.Minute || got <= 0 {
		t.Errorf("max-age %v after 51 minutes", got)
	}
	c.Add(10 * time.Minute)
	if got := m.JWKS(); got.MaxAge != 0 || len(parseJWKS(t, got).Keys()) != 1 {
		t.Errorf("after an hour: max-age %v of %s", got.MaxAge, got.Body)
	}
	s.set(func(s *store) { s.down = false })
	mint(t, m, c, time.Minute)
	if got := m.JWKS().MaxAge; got != 15*time.Minute {
		t.Errorf("max-age %v when the store is back", got)
	}
}

// An issuer that was suspended reads the store before it signs.
func TestSuspendedIssuerReadsBeforeItSigns(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	awake, asleep := open(t, cfg), open(t, cfg)
	old := kidOf(t, asleep)
	if err := awake.Revoke(context.Background(), "", old, "it leaked", noSessions); err != nil {
		t.Fatal(err)
	}
	c.Add(2 * time.Minute)
	if got := kidOf(t, asleep); got == old || got != kidOf(t, awake) {
		t.Errorf("the sleeper signs with %s", got)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	s := newStore(t)
	m := open(t, config(t, s, newClock()))
	entered, leave := make(chan struct{}), make(chan struct{})
	s.set(func(s *store) { s.lose = func() { close(entered); <-leave } })
	var wg sync.WaitGroup
	wg.Go(func() { rotate(t, m) })
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Step(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if _, err := jwt.ParseJWKS(m.JWKS().Body); err != nil || m.Ready() != nil {
		t.Error("a slow store keeps readers waiting")
	}
	close(leave)
	wg.Wait()
}
