package session_test

import (
	"errors"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/session"
)

// leeway is the most that a verifier may allow for clocks that differ.
const leeway = time.Minute

// An access token expires with its session, if that is earlier than its own lifetime.
func TestAccessTokenDoesNotOutliveItsSession(t *testing.T) {
	tests := []struct {
		name           string
		idle, absolute time.Duration
		after          time.Duration // when it is refreshed
		want           time.Duration // how long after that it expires
	}{
		{"long before the end", time.Hour, 2 * time.Hour, 50 * time.Minute, 5 * time.Minute},
		{"just before the absolute end", time.Hour, time.Hour, 58 * time.Minute, 2 * time.Minute},
		{"with the shortest idle timeout", 90 * time.Second, time.Hour, 30 * time.Second, 90 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(c *session.Config) { c.IdleTimeout, c.AbsoluteTimeout = tt.idle, tt.absolute })
			g := f.mint(t, "u1")
			if want := f.clock.now().Add(min(tt.idle, f.config.AccessLifetime)); !g.AccessExpiresAt.Equal(want) {
				t.Errorf("minted: until %v, want %v", g.AccessExpiresAt, want)
			}
			f.clock.advance(tt.after)
			g = f.refresh(t, g.RefreshToken)
			want := f.clock.now().Add(tt.want)
			if got := f.holder(t, g).Claims.Expiry; !got.Equal(want) || !g.AccessExpiresAt.Equal(want) {
				t.Errorf("exp %v, AccessExpiresAt %v, want %v", got, g.AccessExpiresAt, want)
			}
		})
	}
}

// A verifier may accept a token for its leeway longer, and must know of the revocation then.
func TestRevocationOutlivesTheLeeway(t *testing.T) {
	for name, end := range map[string]func(f *fixture, g session.Grant) error{
		"one session": func(f *fixture, g session.Grant) error {
			return f.svc.SignOut(t.Context(), g.RefreshToken)
		},
		"a mark": func(f *fixture, _ session.Grant) error {
			_, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}})
			return err
		},
		"the limit": func(f *fixture, _ session.Grant) error {
			_, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *session.Config) { c.MaxPerUser = 1 })
			g := f.mint(t, "u1")
			if err := end(f, g); err != nil {
				t.Fatal(err)
			}
			entries := f.revoked(t)
			if len(entries) != 1 || entries[0].Until.Before(g.AccessExpiresAt.Add(leeway)) {
				t.Errorf("revoked: %+v; the token is good until %v, with leeway %v", entries, g.AccessExpiresAt, g.AccessExpiresAt.Add(leeway))
			}
		})
	}
}

// A clock that was ahead dates tokens in the future. After a restart with the right time, a
// revocation is kept until they have expired all the same.
func TestRevocationAfterAClockThatWasAhead(t *testing.T) {
	issue := map[string]func(t *testing.T, f *fixture, g session.Grant) session.Grant{
		"mint": func(_ *testing.T, _ *fixture, g session.Grant) session.Grant { return g },
		"refresh": func(t *testing.T, f *fixture, g session.Grant) session.Grant {
			t.Helper()
			f.clock.advance(time.Hour)
			return f.refresh(t, g.RefreshToken)
		},
		"reauthentication": func(t *testing.T, f *fixture, g session.Grant) session.Grant {
			t.Helper()
			f.clock.advance(time.Hour)
			again, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{})
			if err != nil {
				t.Fatal(err)
			}
			return again
		},
		"reading, which writes nothing, and a sweep": func(t *testing.T, f *fixture, g session.Grant) session.Grant {
			t.Helper()
			f.clock.advance(time.Hour)
			a, err := f.svc.Access(f.reads(t, false, g.RefreshToken))
			if err != nil {
				t.Fatal(err)
			}
			f.sweep(t)
			return a
		},
	}
	for by, issue := range issue {
		for _, mark := range []bool{false, true} {
			t.Run(by, func(t *testing.T) {
				f := newFixture(t, nil)
				right := f.clock.now()
				f.clock.advance(time.Hour)
				g := f.mint(t, "u1")
				late := issue(t, f, g)
				f.clock.advance(right.Sub(f.clock.now()))
				f.reopen(t)
				var err error
				if mark {
					_, err = f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}})
				} else {
					err = f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonServiceRevoked})
				}
				if err != nil {
					t.Fatal(err)
				}
				entries := f.revoked(t)
				if len(entries) != 1 || entries[0].Until.Before(late.AccessExpiresAt.Add(leeway)) {
					t.Errorf("mark: %t, revoked: %+v; a token is good until %v", mark, entries, late.AccessExpiresAt)
				}
			})
		}
	}
}

// A token names its session and its user. One whose two do not belong together is refused,
// though it is signed well.
func TestSubjectMustBeTheSessionsUser(t *testing.T) {
	f := newFixture(t, nil)
	mine, foreign := f.mint(t, "u1"), f.mint(t, "u2")
	claims := *f.holder(t, mine).Claims
	claims.SessionID = foreign.View.ID.String()
	token, err := f.config.Signer.Mint(&claims)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.Authenticate(t.Context(), token); !errors.Is(err, jwt.ErrClaims) {
		t.Errorf("sub of u1, sid of u2: %v, want %v", err, jwt.ErrClaims)
	}
	if in, err := f.svc.Introspect(t.Context(), token); err != nil || in.Active {
		t.Errorf("introspected: active %t, %v", in.Active, err)
	}
}

// The scope of the mint is in every access token of the session.
func TestScopeIsInEveryToken(t *testing.T) {
	const scope = "orders:read orders:write"
	f := newFixture(t, nil)
	req := session.MintRequest{User: session.User{ID: "u1"}, Scope: scope, Claims: []byte(`{"role":"admin"}`)}
	want := func(how string, g session.Grant, err error) session.Grant {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		extra := f.holder(t, g).Claims.Extra
		if got := string(extra["scope"]); got != `"`+scope+`"` || string(extra["role"]) != `"admin"` {
			t.Errorf("%s: scope %s, role %s", how, got, extra["role"])
		}
		return g
	}
	g, err := f.svc.Mint(t.Context(), req)
	g = want("mint", g, err)
	f.reopen(t)
	f.clock.advance(time.Hour)
	g = want("refresh", f.refresh(t, g.RefreshToken), nil)
	again, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{ACR: "aal2"})
	want("reauthentication", again, err)
	read, err := f.svc.Access(f.reads(t, false, g.RefreshToken))
	want("reading", read, err)
	h, err := f.svc.MintHandoff(t.Context(), req, spa)
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := f.svc.Claim(t.Context(), h.Code, spa, session.Device{})
	want("claim", claimed, err)
	if in, err := f.svc.Introspect(t.Context(), g.RefreshToken); err != nil || in.View.Scope != scope {
		t.Errorf("introspection of the refresh token: %q, %v", in.View.Scope, err)
	}
	// Without one there is no claim.
	if plain := f.holder(t, f.mint(t, "u1")); plain.Claims.Extra["scope"] != nil {
		t.Errorf("a session without a scope has %s", plain.Claims.Extra["scope"])
	}
}
