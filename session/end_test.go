package session_test

import (
	"errors"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/sid"
)

func (f *fixture) wantEnd(t *testing.T, id sid.ID, want session.Reason) {
	t.Helper()
	v, err := f.svc.Get(t.Context(), id)
	if err != nil || v.End.Reason != want {
		t.Errorf("ended for %q (%v), want %q", v.End.Reason, err, want)
	}
}

// wantForgotten fails if the store still has the session.
func (f *fixture) wantForgotten(t *testing.T, g session.Grant) {
	t.Helper()
	if _, err := f.svc.Get(t.Context(), g.View.ID); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("session %s is not forgotten: %v", g.View.ID, err)
	}
}

func TestSignOut(t *testing.T) {
	f := newFixture(t, nil)
	g := f.mint(t, "u1")
	next := f.refresh(t, g.RefreshToken)
	other := f.mint(t, "u1")
	for _, credential := range []string{next.AccessToken, next.AccessToken, g.RefreshToken, next.RefreshToken} {
		if err := f.svc.SignOut(t.Context(), credential); err != nil {
			t.Errorf("signing out: %v", err)
		}
	}
	f.wantEnd(t, g.View.ID, session.ReasonSignOut)
	f.wantDead(t, g.RefreshToken, next.RefreshToken)
	f.refresh(t, other.RefreshToken)
	if f.ended(t)[session.ReasonSignOut] != 1 {
		t.Errorf("reported: %v", f.ended(t))
	}
	if err := f.svc.SignOut(t.Context(), "rt_garbage"); !errors.Is(err, session.ErrRefreshTokenInvalid) {
		t.Errorf("a forged refresh token: %v", err)
	}
	if err := f.svc.SignOut(t.Context(), "garbage"); jwt.Cause(err) == "" {
		t.Errorf("a forged access token: %v", err)
	}
}

func TestRevokeOwn(t *testing.T) {
	f := newFixture(t, nil)
	mine, also, foreign := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
	h := f.holder(t, mine)
	for name, id := range map[string]sid.ID{"another user's": foreign.View.ID, "unknown": sid.Next(sid.ID{}, time.Now())} {
		if err := f.svc.RevokeOwn(t.Context(), h, id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.refresh(t, foreign.RefreshToken)
	for range 2 { // the second changes nothing
		if err := f.svc.RevokeOwn(t.Context(), h, also.View.ID); err != nil {
			t.Error(err)
		}
	}
	f.wantEnd(t, also.View.ID, session.ReasonUserRevoked)
	if err := f.svc.RevokeOwn(t.Context(), h, mine.View.ID); err != nil {
		t.Error(err)
	}
	f.wantEnd(t, mine.View.ID, session.ReasonSignOut)
	third := f.mint(t, "u1")
	if err := f.svc.RevokeOwn(t.Context(), h, third.View.ID); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("a holder who has signed out ends another session: %v", err)
	}
}

func TestRevokeOthersAndAll(t *testing.T) {
	f := newFixture(t, nil)
	a, b, c, foreign := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
	if n, err := f.svc.RevokeOthers(t.Context(), f.holder(t, a)); err != nil || n != 2 {
		t.Errorf("revoked %d others: %v", n, err)
	}
	f.wantEnd(t, b.View.ID, session.ReasonUserRevoked)
	f.wantDead(t, b.RefreshToken, c.RefreshToken)
	a = f.refresh(t, a.RefreshToken)
	d := f.mint(t, "u1")
	if n, err := f.svc.RevokeAll(t.Context(), f.holder(t, a)); err != nil || n != 2 {
		t.Errorf("revoked %d of all: %v", n, err)
	}
	f.wantDead(t, a.RefreshToken, d.RefreshToken)
	f.refresh(t, foreign.RefreshToken)
	for range 2 { // before and after the mark is settled, session by session
		f.wantEnd(t, d.View.ID, session.ReasonUserRevokedAll)
		if live, err := f.svc.List(t.Context(), "u1"); err != nil || len(live) != 0 {
			t.Errorf("live: %v, %v", live, err)
		}
		if past, err := f.svc.History(t.Context(), "u1", 10); err != nil || len(past) != 4 {
			t.Errorf("history: %d, %v", len(past), err)
		}
		f.sweep(t)
	}
	if got := f.ended(t)[session.ReasonUserRevokedAll]; got != 2 {
		t.Errorf("reported %d", got)
	}
	if n, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "nobody", Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil || n != 0 {
		t.Errorf("a user without sessions: %d, %v", n, err)
	}
}

func TestMarksOverClientAndEverything(t *testing.T) {
	f := newFixture(t, nil)
	var app, cli []session.Grant
	for range 150 { // more than one transaction of the sweeper
		app = append(app, f.mint(t, "u1"))
		g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u2"}, ClientID: "cli"})
		if err != nil {
			t.Fatal(err)
		}
		cli = append(cli, g)
	}
	if err := f.svc.RevokeClient(t.Context(), "cli", session.Cause{Reason: session.ReasonClientRevoked}); err != nil {
		t.Fatal(err)
	}
	f.wantDead(t, cli[0].RefreshToken, cli[149].RefreshToken)
	f.sweep(t)
	f.wantDead(t, cli[0].RefreshToken, cli[149].RefreshToken)
	f.refresh(t, app[0].RefreshToken)
	if live := f.store.Live(); live != 150 {
		t.Errorf("%d are live", live)
	}
	if err := f.svc.RevokeEverything(t.Context(), session.Cause{Reason: session.ReasonKeyRevoked}); err != nil {
		t.Fatal(err)
	}
	fresh := f.mint(t, "u1")
	f.wantDead(t, app[1].RefreshToken)
	f.sweep(t)
	f.wantDead(t, app[1].RefreshToken)
	f.wantEnd(t, app[1].View.ID, session.ReasonKeyRevoked)
	f.refresh(t, fresh.RefreshToken)
	if live := f.store.Live(); live != 1 {
		t.Errorf("%d are live", live)
	}
	if f.ended(t)[session.ReasonClientRevoked] != 150 || f.ended(t)[session.ReasonKeyRevoked] != 150 {
		t.Errorf("reported: %v", f.ended(t))
	}
}

// A client is found by its sessions, however many others there are, until they have ended.
func TestHasClient(t *testing.T) {
	f := newFixture(t, nil)
	has := func(client string) bool {
		found, err := f.svc.HasClient(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if has("app") {
		t.Error("an empty store has a client")
	}
	for range 300 {
		f.mint(t, "u1") // by app
	}
	if !has("app") || has("other") || has("") {
		t.Error("of app's sessions another client is known, or app is not")
	}
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u2"}, ClientID: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if !has("other") {
		t.Error("the newest of many sessions is not found")
	}
	if err := f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonAdminRevoked}); err != nil {
		t.Fatal(err)
	}
	if has("other") {
		t.Error("a client is known by a session that has ended")
	}
}

// A mark is kept for verifiers while a token under it is good, and no longer. The sessions
// under it stay revoked.
func TestMarkIsForgotten(t *testing.T) {
	f := newFixture(t, nil)
	old := f.mint(t, "u1")
	if _, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil {
		t.Fatal(err)
	}
	f.clock.advance(f.config.AccessLifetime + time.Minute - time.Millisecond)
	f.sweep(t)
	if n := len(f.revoked(t)); n != 1 {
		t.Errorf("%d revocations are kept while tokens under the mark are good, want 1", n)
	}
	f.clock.advance(time.Minute) // the store trims its journal in chunks
	f.sweep(t)
	if left := f.revoked(t); len(left) != 0 {
		t.Errorf("kept: %+v", left)
	}
	f.wantDead(t, old.RefreshToken)
	f.refresh(t, f.mint(t, "u1").RefreshToken)
}

func TestEndsOfTime(t *testing.T) {
	tests := []struct {
		name    string
		refresh time.Duration // how often it is used
		until   time.Duration // for how long
		wait    time.Duration // then
		want    error
		reason  session.Reason
	}{
		{"idle, at the last moment", time.Hour, 0, 7*24*time.Hour - time.Second, nil, ""},
		{"idle", time.Hour, 0, 7 * 24 * time.Hour, session.ErrIdle, session.ReasonIdle},
		{"idle after use", 24 * time.Hour, 5 * 24 * time.Hour, 7 * 24 * time.Hour, session.ErrIdle, session.ReasonIdle},
		{"in use, at the last moment", 24 * time.Hour, 29 * 24 * time.Hour, 24*time.Hour - time.Second, nil, ""},
		{"in use to its absolute end", 24 * time.Hour, 29 * 24 * time.Hour, 24 * time.Hour, session.ErrExpired, session.ReasonExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, nil)
			g := f.mint(t, "u1")
			born, authTime := g.View.ExpiresAt, g.View.AuthTime
			for used := time.Duration(0); used < tt.until; used += tt.refresh {
				f.clock.advance(tt.refresh)
				g = f.refresh(t, g.RefreshToken)
				if !g.View.ExpiresAt.Equal(born) || !g.View.AuthTime.Equal(authTime) {
					t.Fatal("a refresh has moved the absolute end or auth_time")
				}
				if g.AccessExpiresAt.After(g.View.ExpiresAt) {
					t.Fatal("the access token outlives its session")
				}
				f.sweep(t)
			}
			f.clock.advance(tt.wait)
			_, validated := f.svc.Validate(t.Context(), g.RefreshToken, session.Device{})
			_, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{})
			if !errors.Is(err, tt.want) || !errors.Is(validated, tt.want) {
				t.Fatalf("refresh: %v, validate: %v; want %v", err, validated, tt.want)
			}
			for range 2 { // before the sweeper has seen it, and after
				f.wantEnd(t, g.View.ID, tt.reason)
				f.sweep(t)
			}
			if tt.want != nil {
				f.clock.advance(f.config.History)
				f.sweep(t)
				if _, err := f.svc.Get(t.Context(), g.View.ID); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("after the history is over: %v", err)
				}
				if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenInvalid) {
					t.Errorf("refreshing what is forgotten: %v", err)
				}
			}
		})
	}
}

// An ended session stays readable, with its reason, for as long as the history lasts.
func TestHistoryLasts(t *testing.T) {
	f := newFixture(t, nil)
	g := f.mint(t, "u1")
	f.clock.advance(time.Hour)
	if err := f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonAdminRevoked}); err != nil {
		t.Fatal(err)
	}
	f.clock.advance(f.config.History - time.Millisecond)
	f.sweep(t)
	f.wantEnd(t, g.View.ID, session.ReasonAdminRevoked)
	v, err := f.svc.Get(t.Context(), g.View.ID)
	if err != nil || !v.LastSeenAt.Equal(g.View.LastSeenAt) || !v.IdleExpiresAt.Equal(g.View.IdleExpiresAt) {
		t.Errorf("last seen %v, idle end %v: %v", v.LastSeenAt, v.IdleExpiresAt, err)
	}
	f.clock.advance(time.Millisecond)
	f.sweep(t)
	if _, err := f.svc.Get(t.Context(), g.View.ID); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("after that: %v", err)
	}
	if past, err := f.svc.History(t.Context(), "u1", 10); err != nil || len(past) != 0 {
		t.Errorf("history: %v, %v", past, err)
	}
}

func TestFreshness(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.RevokeAllRequiresFresh = true })
	g := f.mint(t, "u1")
	f.clock.advance(f.config.FreshAge - time.Second)
	g = f.refresh(t, g.RefreshToken)
	if err := f.svc.RequireFresh(f.holder(t, g)); err != nil {
		t.Errorf("within: %v", err)
	}
	f.clock.advance(time.Second)
	h := f.holder(t, g)
	if _, err := f.svc.RevokeAll(t.Context(), h); !errors.Is(err, session.ErrNotFresh) {
		t.Errorf("after: %v", err)
	}
	re, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{AMR: []string{"otp"}, ACR: "aal2"})
	if err != nil {
		t.Fatal(err)
	}
	h = f.holder(t, re)
	if re.RefreshToken != "" || re.View.ID != g.View.ID || h.Claims.ACR != "aal2" || !h.Claims.AuthTime.Equal(f.clock.now()) {
		t.Errorf("reauthenticated: %+v, %+v", re, h.Claims)
	}
	if n, err := f.svc.RevokeAll(t.Context(), h); err != nil || n != 1 {
		t.Errorf("fresh again: %d, %v", n, err)
	}
	if _, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{}); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("an ended session: %v", err)
	}
}

func TestIntrospectAndRevokeToken(t *testing.T) {
	f := newFixture(t, nil)
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, Audience: []string{"another-api"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.Authenticate(t.Context(), g.AccessToken); !errors.Is(err, jwt.ErrAudience) {
		t.Errorf("a token for another audience opens the issuer's own routes: %v", err)
	}
	active := func(token string) bool {
		t.Helper()
		in, err := f.svc.Introspect(t.Context(), token)
		if err != nil {
			t.Error(err)
		}
		return in.Active
	}
	if !active(g.AccessToken) || !active(g.RefreshToken) || !active(g.RefreshToken) {
		t.Error("good tokens are not active")
	}
	next := f.refresh(t, g.RefreshToken)
	altered := g.RefreshToken[:66] + "A"
	if altered == g.RefreshToken {
		altered = g.RefreshToken[:66] + "B"
	}
	for _, bad := range []string{"", "x", "rt_x", g.AccessToken + "x", altered} {
		if active(bad) {
			t.Errorf("%q is active", bad)
		}
		if err := f.svc.RevokeToken(t.Context(), bad); err != nil {
			t.Errorf("revoking %q: %v", bad, err)
		}
	}
	if err := f.svc.RevokeToken(t.Context(), next.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if active(g.AccessToken) || active(next.AccessToken) || active(next.RefreshToken) {
		t.Error("a revoked session's tokens are active")
	}
	f.wantEnd(t, g.View.ID, session.ReasonTokenRevoked)
}
