package session_test

import (
	"errors"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/session/refresh"
)

// reads calls Read, or Touch.
func (f *fixture) reads(t *testing.T, touch bool, token string) session.Reading {
	t.Helper()
	read := f.svc.Read
	if touch {
		read = f.svc.Touch
	}
	r, err := read(t.Context(), token, session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRenewalIsDueOnceInAnAccessLifetime(t *testing.T) {
	for _, tt := range []struct {
		name      string
		updateAge time.Duration
		idle      time.Duration
		want      time.Duration
	}{
		{"by the access token's lifetime", 0, 7 * 24 * time.Hour, 5 * time.Minute},
		{"by update_age", time.Hour, 7 * 24 * time.Hour, time.Hour},
		{"before an early idle end", 0, 6 * time.Minute, 3 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(c *session.Config) { c.Refresh.UpdateAge, c.IdleTimeout = tt.updateAge, tt.idle })
			token := f.mint(t, "u1").RefreshToken
			for range 2 {
				f.clock.advance(tt.want - time.Second)
				if f.reads(t, false, token).RenewalDue {
					t.Fatal("due too early")
				}
				f.clock.advance(time.Second)
				if !f.reads(t, false, token).RenewalDue {
					t.Fatal("not due")
				}
				token = f.refresh(t, token).RefreshToken
			}
		})
	}
}

// Whether a renewal is due does not change when the token is redeemed by another holder, whatever
// the session was used for before.
func TestRenewalDueDoesNotTellOfARefresh(t *testing.T) {
	for name, use := range map[string]func(f *fixture, token string) (newest string){
		"a refresh long ago": func(f *fixture, token string) string {
			f.clock.advance(5 * time.Minute)
			return token
		},
		"a refresh a moment ago": func(f *fixture, token string) string {
			f.clock.advance(10 * time.Minute)
			return f.refresh(t, token).RefreshToken
		},
		"a reading that moved the idle end": func(f *fixture, token string) string {
			f.clock.advance(210 * time.Second)
			f.reads(t, true, token)
			f.clock.advance(100 * time.Second)
			return token
		},
	} {
		f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 30 * time.Minute })
		f.clock.advance(20 * time.Second)
		copied := use(f, f.refresh(t, f.mint(t, "u1").RefreshToken).RefreshToken)
		f.clock.advance(5 * time.Second)
		before := f.reads(t, false, copied).RenewalDue
		f.refresh(t, copied)
		if after := f.reads(t, false, copied).RenewalDue; after != before {
			t.Errorf("%s: due before %t, and after %t", name, before, after)
		}
	}
}

// Reading changes nothing; touching moves the idle end, seldom, and nothing else.
func TestTouchMovesTheIdleEnd(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Hour })
	g := f.mint(t, "u1")
	born := f.clock.now()
	f.clock.advance(time.Hour - time.Second)
	if f.reads(t, true, g.RefreshToken); !f.view(t, g.View.ID).LastSeenAt.Equal(born) {
		t.Error("touched within a tenth of the idle timeout")
	}
	f.clock.advance(time.Second)
	if f.reads(t, false, g.RefreshToken); !f.view(t, g.View.ID).LastSeenAt.Equal(born) {
		t.Error("reading moves the idle end")
	}
	v := f.reads(t, true, g.RefreshToken).View
	if !v.LastSeenAt.Equal(f.clock.now()) || !v.IdleExpiresAt.Equal(f.clock.now().Add(10*time.Hour)) {
		t.Errorf("not touched: %+v", v)
	}
	f.clock.advance(9*time.Hour + 30*time.Minute) // idle by now, had it not been touched
	stored, err := f.svc.Get(t.Context(), g.View.ID)
	if err != nil || !stored.End.IsZero() || !stored.LastSeenAt.Equal(v.LastSeenAt) {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	// The token is still the newest, and its first use is an advance.
	if next := f.refresh(t, g.RefreshToken); next.Outcome != refresh.Advanced {
		t.Errorf("redeemed later: %s", next.Outcome)
	}
}

func TestTouchIsBoundedByUpdateAgeAndTheEnd(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout, c.Refresh.UpdateAge = 24*time.Hour, 12*time.Hour })
	g := f.mint(t, "u1")
	f.clock.advance(11 * time.Hour)
	if f.reads(t, true, g.RefreshToken); !f.view(t, g.View.ID).LastSeenAt.Equal(g.View.LastSeenAt) {
		t.Error("touched within update_age")
	}
	for f.clock.advance(time.Hour); f.clock.now().Before(g.View.ExpiresAt); f.clock.advance(20 * time.Hour) {
		if v := f.reads(t, true, g.RefreshToken).View; !v.LastSeenAt.Equal(f.clock.now()) || v.IdleExpiresAt.After(g.View.ExpiresAt) {
			t.Fatalf("at %v: %+v", f.clock.now(), v)
		}
	}
	if _, err := f.svc.Touch(t.Context(), g.RefreshToken, session.Device{}); !errors.Is(err, session.ErrExpired) {
		t.Errorf("after the absolute end: %v", err)
	}
}

// A token that was redeemed before does not keep the session alive: only its successor does.
func TestTouchByAnOldToken(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Hour })
	g := f.mint(t, "u1")
	next := f.refresh(t, g.RefreshToken)
	f.clock.advance(2 * time.Hour)
	if f.reads(t, true, g.RefreshToken); !f.view(t, g.View.ID).LastSeenAt.Equal(next.View.LastSeenAt) {
		t.Error("the redeemed token has moved the idle end")
	}
	if v := f.reads(t, true, next.RefreshToken).View; !v.LastSeenAt.Equal(f.clock.now()) {
		t.Error("the newest token has not")
	}
	f.refresh(t, next.RefreshToken)
	f.clock.advance(time.Minute)
	if _, err := f.svc.Touch(t.Context(), g.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenReused) {
		t.Errorf("a copied token: %v", err)
	}
	f.wantEnd(t, g.View.ID, "") // reading changes nothing
	if err := f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonSignOut}); err != nil {
		t.Fatal(err)
	}
	for _, read := range []bool{false, true} {
		token := next.RefreshToken
		call := f.svc.Read
		if read {
			call = f.svc.Touch
		}
		if _, err := call(t.Context(), token, session.Device{}); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("of an ended session: %v", err)
		}
	}
}

func TestAccessOfAReading(t *testing.T) {
	f := newFixture(t, nil)
	g := f.mint(t, "u1")
	f.clock.advance(time.Hour)
	a, err := f.svc.Access(f.reads(t, false, g.RefreshToken))
	if err != nil || a.RefreshToken != "" || !a.AccessExpiresAt.Equal(f.clock.now().Add(5*time.Minute)) {
		t.Fatalf("%+v, %v", a, err)
	}
	if h := f.holder(t, a); h.View.ID != g.View.ID {
		t.Error("of another session")
	}
	for _, bad := range []string{"", "rt_x", g.AccessToken} {
		if _, err := f.svc.Touch(t.Context(), bad, session.Device{}); !errors.Is(err, session.ErrRefreshTokenInvalid) {
			t.Errorf("touched by %.8q: %v", bad, err)
		}
	}
}
