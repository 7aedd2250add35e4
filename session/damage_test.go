package session_test

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"issuer.example/session"
)

// damage makes the records of sessions with that label unreadable, and restarts.
func (f *fixture) damage(t *testing.T, label string) {
	t.Helper()
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	text := append([]byte{0x60 | byte(len(label))}, label...) // as CBOR has it (RFC 8949 §3.1)
	broken := bytes.ReplaceAll(file, text, append([]byte{0xff}, label...))
	if bytes.Equal(file, broken) {
		t.Fatalf("the file has no label %s", label)
	}
	if err := os.WriteFile(f.path, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	f.open(t)
}

// A session whose record is damaged is left out. It stops neither a revocation, which covers
// it too, nor the sweeping of all others.
func TestDamagedRecord(t *testing.T) {
	for name, revoke := range map[string]func(f *fixture) (int, error){
		"user": func(f *fixture) (int, error) {
			return f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}})
		},
		"client": func(f *fixture) (int, error) {
			return 2, f.svc.RevokeClient(t.Context(), "app", session.Cause{Reason: session.ReasonServiceRevoked})
		},
		"everything": func(f *fixture) (int, error) {
			return 2, f.svc.RevokeEverything(t.Context(), session.Cause{Reason: session.ReasonServiceRevoked})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			f := newFixture(t, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			const label = "damaged-label"
			before := f.mint(t, "u1")
			damaged, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app", Label: label})
			if err != nil {
				t.Fatal(err)
			}
			after, other := f.mint(t, "u1"), f.mint(t, "u2")
			f.damage(t, label)
			if live, err := f.svc.List(t.Context(), "u1"); err != nil || len(live) != 2 {
				t.Errorf("%d are listed: %v, want 2", len(live), err)
			}
			if n, err := revoke(f); err != nil || n != 2 {
				t.Errorf("revoked %d: %v, want 2", n, err)
			}
			f.wantDead(t, before.RefreshToken, after.RefreshToken)
			if _, err := f.svc.Refresh(t.Context(), damaged.RefreshToken, session.Device{}); err == nil {
				t.Error("the damaged session is refreshed")
			}
			f.mint(t, "u1")
			f.sweep(t)
			f.wantEnd(t, before.View.ID, session.ReasonServiceRevoked)
			f.wantEnd(t, after.View.ID, session.ReasonServiceRevoked)
			if !strings.Contains(log.String(), "cannot be read") {
				t.Errorf("the log does not say that a record cannot be read:\n%s", log.String())
			}
			f.clock.advance(f.config.AbsoluteTimeout + f.config.History + time.Hour)
			f.sweep(t)
			for _, g := range []session.Grant{before, after, other} {
				f.wantForgotten(t, g)
			}
			if left := f.revoked(t); len(left) != 0 {
				t.Errorf("revocations are kept: %+v", left)
			}
		})
	}
}
