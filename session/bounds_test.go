package session_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/session"
)

// Whatever the clock does, a revocation is kept for verifiers until every access token that
// it covers has expired (T22, T30).
func TestRevocationOutlivesItsTokens(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.AbsoluteTimeout, c.IdleTimeout = 1e6*time.Hour, 1e6*time.Hour })
	rapid.Check(t, func(t *rapid.T) {
		user := fmt.Sprintf("u%d", rapid.Int64Range(0, 1<<62).Draw(t, "user"))
		g := f.mint(t, user)
		expires := g.AccessExpiresAt
		for range rapid.IntRange(0, 6).Draw(t, "refreshes") {
			f.clock.advance(time.Duration(rapid.Int64Range(-int64(2*time.Hour), int64(2*time.Hour)).Draw(t, "step")))
			next, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{})
			if err != nil {
				t.Fatalf("refresh: %v", err)
			}
			g = next
			if g.AccessExpiresAt.After(expires) {
				expires = g.AccessExpiresAt
			}
		}
		f.clock.advance(time.Duration(rapid.Int64Range(-int64(2*time.Hour), int64(2*time.Hour)).Draw(t, "last step")))
		if rapid.Bool().Draw(t, "a mark") {
			if _, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: user, Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil {
				t.Fatalf("revoke: %v", err)
			}
		} else if err := f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonServiceRevoked}); err != nil {
			t.Fatalf("revoke: %v", err)
		}
		entries := f.revoked(t)
		if until := entries[len(entries)-1].Until; until.Before(expires) {
			t.Fatalf("kept until %v; a token is good until %v", until, expires)
		}
	})
}

// There is no part of a second in which a session is live and no token can be made for it.
func TestLastPartOfASecond(t *testing.T) {
	for _, born := range []time.Duration{0, time.Millisecond, 500 * time.Millisecond, 999 * time.Millisecond} {
		f := newFixture(t, func(c *session.Config) { c.AbsoluteTimeout = c.IdleTimeout })
		f.clock.advance(born)
		g := f.mint(t, "u1")
		f.clock.advance(g.View.ExpiresAt.Add(-1500 * time.Millisecond).Sub(f.clock.now()))
		for range 1600 {
			f.clock.advance(time.Millisecond)
			next, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{})
			over := !f.clock.now().Before(g.View.ExpiresAt)
			switch {
			case over && !errors.Is(err, session.ErrExpired):
				t.Fatalf("born at %v, after its end: %v", born, err)
			case !over && err != nil:
				t.Fatalf("born at %v, %v before its end: %v", born, g.View.ExpiresAt.Sub(f.clock.now()), err)
			case !over && !next.AccessExpiresAt.After(f.clock.now().Truncate(time.Second)):
				t.Fatalf("a token without life, until %v", next.AccessExpiresAt)
			}
		}
	}
}

// A reauthentication that would make the token too large is refused before it is stored.
func TestReauthenticateKeepsTheTokenSmall(t *testing.T) {
	f := newFixture(t, nil)
	g, err := f.svc.Mint(t.Context(), session.MintRequest{
		User: session.User{ID: "u1"}, Claims: json.RawMessage(`{"a":"` + strings.Repeat("x", 4000) + `"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, 16)
	for i := range many {
		many[i] = strings.Repeat("y", 64)
	}
	_, err = f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{AMR: many})
	if !errors.Is(err, session.ErrInvalid) {
		t.Errorf("too much: %v", err)
	}
	f.refresh(t, g.RefreshToken)
}

// A user with very many sessions can end all others, older and newer ones.
func TestRevokeOthersOfMany(t *testing.T) {
	f := newFixture(t, nil)
	const n = 250
	var others []session.Grant
	for range n {
		others = append(others, f.mint(t, "u1"))
	}
	mine, foreign := f.mint(t, "u1"), f.mint(t, "u2")
	for range n {
		others = append(others, f.mint(t, "u1"))
	}
	got, err := f.svc.RevokeOthers(t.Context(), f.holder(t, mine))
	if err != nil || got != 2*n {
		t.Errorf("revoked %d: %v", got, err)
	}
	check := func() {
		for _, i := range []int{0, 1, n - 1, n, n + 1, 2*n - 1} {
			f.wantEnd(t, others[i].View.ID, session.ReasonUserRevoked)
			f.wantDead(t, others[i].RefreshToken)
		}
	}
	check()
	f.sweep(t)
	check()
	f.refresh(t, mine.RefreshToken)
	f.refresh(t, foreign.RefreshToken)
	f.refresh(t, f.mint(t, "u1").RefreshToken)
	if f.ended(t)[session.ReasonUserRevoked] != 2*n {
		t.Errorf("reported: %v", f.ended(t))
	}
}

// After the limit was lowered, a sign-in ends all sessions that are too many with one write. The
// ones that were used longest ago cannot end so: each sign-in ends some.
func TestLimitLowered(t *testing.T) {
	for policy, want := range map[session.LimitPolicy][]int{
		session.LimitEvictOldest: {5, 5},
		session.LimitEvictIdle:   {87, 24, 5, 5},
	} {
		f := newFixture(t, func(c *session.Config) { c.OnLimit = policy })
		for range 150 {
			f.mint(t, "u1")
		}
		f.config.MaxPerUser = 5
		f.reopen(t)
		for _, n := range want {
			f.mint(t, "u1")
			if live, err := f.svc.List(t.Context(), "u1"); err != nil || len(live) != n {
				t.Errorf("%s: %d are live, want %d: %v", policy, len(live), n, err)
			}
		}
		f.sweep(t)
		if ended := f.ended(t)[session.ReasonLimit]; ended != 150+len(want)-5 {
			t.Errorf("%s: %d are on record as evicted", policy, ended)
		}
	}
}

// Sweeping many marks reads each of them a fixed number of times: it ends after a number of
// transactions in proportion to their number.
func TestManyMarksAreSweptInFewTransactions(t *testing.T) {
	f := newFixture(t, nil)
	const users = 300
	for i := range users {
		user := fmt.Sprintf("u%d", i)
		f.mint(t, user)
		if _, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: user, Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil {
			t.Fatal(err)
		}
	}
	rounds := 1
	for ; ; rounds++ {
		more, err := f.svc.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	if rounds > users/16 {
		t.Errorf("%d marks took %d transactions", users, rounds)
	}
	if live := f.store.Live(); live != 0 {
		t.Errorf("%d are live", live)
	}
}
