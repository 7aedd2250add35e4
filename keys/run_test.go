package keys_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/keys"
	"issuer.example/secret"
)

// pass advances the clock of the synctest bubble and waits until all due work is done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Run rotates the keys at the right time.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		var log bytes.Buffer
		m := open(t, keys.Config{
			Store: s, Secrets: []secret.Secret{newSecret(t)}, RotateEvery: 6 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		first := kidOf(t, m)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()

		pass(6*time.Hour - time.Minute)
		if kidOf(t, m) != first || len(in(m, keys.Pending)) != 1 {
			t.Errorf("before it is time: %+v", m.List())
		}
		pass(2 * time.Minute)
		if second := one(t, m, keys.Active); second.ID == first || second.ActivatedAt.Sub(second.PublishedAt) < time.Hour {
			t.Errorf("when it is time: %+v", m.List())
		}
		pass(10 * time.Minute)
		if find(t, m, first).State != keys.Gone {
			t.Errorf("in the end: %+v", m.List())
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v when its context ended", err)
		}
		for _, message := range []string{"key published", "key promoted", "key retiring", "key gone", first} {
			if !strings.Contains(log.String(), message) {
				t.Errorf("the log does not say %q", message)
			}
		}
	})
}

// After a failure of the store Run continues by itself.
func TestRunSurvivesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		var log bytes.Buffer
		m := open(t, keys.Config{
			Store: s, Secrets: []secret.Secret{newSecret(t)}, RotateEvery: 6 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		first := kidOf(t, m)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		s.set(func(s *store) { s.down = true })
		pass(12 * time.Hour)
		if m.Ready() == nil {
			t.Error("ready without its store")
		}
		s.set(func(s *store) { s.down = false })
		pass(2 * time.Hour)
		if err := m.Ready(); err != nil || kidOf(t, m) == first {
			t.Errorf("the schedule did not go on: %v, %+v", err, m.List())
		}
		cancel()
		<-done
		if !strings.Contains(log.String(), "key schedule failed") {
			t.Error("the log does not say that the schedule failed")
		}
	})
}
