package session_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/session/refresh"
)

const spa = "https://app.example"

func (f *fixture) handoff(t *testing.T, origin string) session.Handoff {
	t.Helper()
	h, err := f.svc.MintHandoff(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app"}, origin)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (f *fixture) wantNoClaim(t *testing.T, code, origin string, want error) {
	t.Helper()
	if _, err := f.svc.Claim(t.Context(), code, origin, session.Device{}); !errors.Is(err, want) {
		t.Errorf("claiming: %v, want %v", err, want)
	}
}

func TestClaim(t *testing.T) {
	f := newFixture(t, nil)
	h := f.handoff(t, spa)
	f.clock.advance(59 * time.Second)
	f.reopen(t)
	g, err := f.svc.Claim(t.Context(), h.Code, spa, session.Device{})
	if err != nil || g.View.ID != h.View.ID {
		t.Fatalf("%+v, %v", g, err)
	}
	if want := f.clock.now().Add(f.config.IdleTimeout); !g.View.IdleExpiresAt.Equal(want) || !g.View.ExpiresAt.Equal(h.View.ExpiresAt) {
		t.Errorf("idle end %v, want %v", g.View.IdleExpiresAt, want)
	}
	f.holder(t, g)
	f.clock.advance(6 * 24 * time.Hour)
	f.sweep(t)
	next := f.refresh(t, g.RefreshToken)
	if next.Outcome != refresh.Advanced {
		t.Errorf("refreshed: %s", next.Outcome)
	}
}

// A code that comes a second time ends the session that it gave out, whoever was first (RFC 6749
// §4.1.2), also after a restart and however late. A page of another origin cannot do that.
func TestCodeUsedTwiceEndsTheSession(t *testing.T) {
	for _, later := range []time.Duration{0, time.Second, 3 * 24 * time.Hour} {
		f := newFixture(t, nil)
		h := f.handoff(t, spa)
		g, err := f.svc.Claim(t.Context(), h.Code, spa, session.Device{})
		if err != nil {
			t.Fatal(err)
		}
		f.wantNoClaim(t, h.Code, "https://evil.example", session.ErrHandoffInvalid)
		g = f.refresh(t, g.RefreshToken)
		f.clock.advance(later)
		f.reopen(t)
		f.wantNoClaim(t, h.Code, spa, session.ErrHandoffInvalid)
		f.wantEnd(t, h.View.ID, session.ReasonHandoffReuse)
		f.wantDead(t, g.RefreshToken)
		f.wantNoClaim(t, h.Code, spa, session.ErrHandoffInvalid)
		f.wantEnd(t, h.View.ID, session.ReasonHandoffReuse)
		entries := f.revoked(t)
		if last := entries[len(entries)-1]; last.SID != h.View.ID || last.Reason != string(session.ReasonHandoffReuse) {
			t.Errorf("verifiers know of %+v last", last)
		}
	}
}

// A hand-off ends no other session until it is claimed.
func TestUnclaimedHandoffEvictsNobody(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.MaxPerUser = 2 })
	browser, phone := f.mint(t, "u1"), f.mint(t, "u1")
	req := session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app", Replaces: browser.View.ID}
	lost, err := f.svc.MintHandoff(t.Context(), req, spa)
	if err != nil {
		t.Fatal(err)
	}
	f.holder(t, browser)
	f.holder(t, phone)
	f.clock.advance(session.HandoffLifetime)
	f.sweep(t)
	f.wantEnd(t, lost.View.ID, session.ReasonIdle)

	claimed, err := f.svc.MintHandoff(t.Context(), req, spa)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.Claim(t.Context(), claimed.Code, spa, session.Device{}); err != nil {
		t.Fatal(err)
	}
	f.wantEnd(t, browser.View.ID, session.ReasonReplaced)
	f.holder(t, phone)
	other := f.handoff(t, spa)
	if _, err := f.svc.Claim(t.Context(), other.Code, spa, session.Device{}); err != nil {
		t.Fatal(err)
	}
	f.wantEnd(t, phone.View.ID, session.ReasonLimit)
}

func TestClaimAboveTheLimitIsRefused(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.MaxPerUser, c.OnLimit = 1, session.LimitRefuse })
	h := f.handoff(t, spa)
	other := f.mint(t, "u1")
	f.wantNoClaim(t, h.Code, spa, session.ErrLimit)
	if err := f.svc.Revoke(t.Context(), other.View.ID, session.Cause{Reason: session.ReasonServiceRevoked}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.Claim(t.Context(), h.Code, spa, session.Device{}); err != nil {
		t.Errorf("a claim for which there is room by now: %v", err)
	}
}

func TestClaimIsRefused(t *testing.T) {
	f := newFixture(t, nil)
	bound, free := f.handoff(t, spa), f.handoff(t, "")
	for _, origin := range []string{"", "null", "https://evil.example", spa + "/", "https://app.example.evil"} {
		f.wantNoClaim(t, bound.Code, origin, session.ErrHandoffInvalid)
	}
	if _, err := f.svc.Claim(t.Context(), free.Code, "https://any.example", session.Device{}); err != nil {
		t.Error(err)
	}
	normal := f.mint(t, "u1")
	for i := range bound.Code {
		forged := []byte(bound.Code)
		forged[i] ^= 1
		f.wantNoClaim(t, string(forged), spa, session.ErrHandoffInvalid)
	}
	for _, bad := range []string{"", "hc_", bound.Code + "A", bound.Code[:len(bound.Code)-1], normal.RefreshToken, normal.AccessToken, bound.Code[:20] + "\n" + bound.Code[21:]} {
		f.wantNoClaim(t, bad, spa, session.ErrHandoffInvalid)
	}
	// A code is not accepted as a refresh token.
	if _, err := f.svc.Refresh(t.Context(), bound.Code, session.Device{}); !errors.Is(err, session.ErrRefreshTokenInvalid) {
		t.Error(err)
	}
	revoked := f.handoff(t, spa)
	if _, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil {
		t.Fatal(err)
	}
	f.wantNoClaim(t, revoked.Code, spa, session.ErrRevoked)
}

// A session that is not claimed ends with its code, and is no longer listed.
func TestUnclaimedSessionEnds(t *testing.T) {
	f := newFixture(t, nil)
	h := f.handoff(t, spa)
	f.clock.advance(session.HandoffLifetime)
	f.wantNoClaim(t, h.Code, spa, session.ErrHandoffInvalid)
	if live, err := f.svc.List(t.Context(), "u1"); err != nil || len(live) != 0 {
		t.Errorf("live: %v, %v", live, err)
	}
	f.sweep(t)
	f.wantEnd(t, h.View.ID, session.ReasonIdle)
	f.wantNoClaim(t, h.Code, spa, session.ErrHandoffInvalid)
}

func TestOneOfManyClaimsSucceeds(t *testing.T) {
	f := newFixture(t, nil)
	h := f.handoff(t, "")
	var (
		wg      sync.WaitGroup
		claimed atomic.Int32
	)
	for range 32 {
		wg.Go(func() {
			if _, err := f.svc.Claim(t.Context(), h.Code, spa, session.Device{}); err == nil {
				claimed.Add(1)
			} else if !errors.Is(err, session.ErrHandoffInvalid) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if claimed.Load() != 1 {
		t.Errorf("%d claims have succeeded", claimed.Load())
	}
	f.wantEnd(t, h.View.ID, session.ReasonHandoffReuse)
}
