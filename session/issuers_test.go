package session_test

import (
	"errors"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/session/refresh"
)

// twoIssuers are two issuers on one store. The clock of the second is 2 s behind.
func twoIssuers(t *testing.T, change func(*session.Config)) (ahead, behind *fixture) {
	t.Helper()
	ahead = newFixture(t, func(c *session.Config) {
		c.Leeway = 10 * time.Second
		if change != nil {
			change(c)
		}
	})
	return ahead, ahead.beside(t, -2*time.Second)
}

// What one issuer revokes is revoked at the other, whatever their clocks say, and a sign-in
// afterwards is not.
func TestRevokeAtTheIssuerThatIsBehind(t *testing.T) {
	for name, revoke := range map[string]func(t *testing.T, f *fixture, g session.Grant) (int, error){
		"all sessions of the user": func(t *testing.T, f *fixture, _ session.Grant) (int, error) {
			t.Helper()
			return f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}})
		},
		"all of the holder": func(t *testing.T, f *fixture, g session.Grant) (int, error) {
			t.Helper()
			return f.svc.RevokeAll(t.Context(), f.holder(t, g))
		},
		"the client": func(t *testing.T, f *fixture, _ session.Grant) (int, error) {
			t.Helper()
			return 1, f.svc.RevokeClient(t.Context(), "app", session.Cause{Reason: session.ReasonClientRevoked})
		},
		"everything": func(t *testing.T, f *fixture, _ session.Grant) (int, error) {
			t.Helper()
			return 1, f.svc.RevokeEverything(t.Context(), session.Cause{Reason: session.ReasonKeyRevoked})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ahead, behind := twoIssuers(t, nil)
			g := ahead.mint(t, "u1")
			if n, err := revoke(t, behind, g); err != nil || n != 1 {
				t.Errorf("revoked %d: %v, want 1", n, err)
			}
			for _, f := range []*fixture{ahead, behind} {
				f.wantDead(t, g.RefreshToken)
				if _, err := f.svc.Authenticate(t.Context(), g.AccessToken); !errors.Is(err, session.ErrRevoked) {
					t.Errorf("the access token: %v", err)
				}
			}
			for _, f := range []*fixture{behind, ahead} {
				next := f.mint(t, "u1")
				ahead.refresh(t, behind.refresh(t, next.RefreshToken).RefreshToken)
			}
		})
	}
}

// A holder spares their own session and no other, whichever issuer began them.
func TestRevokeOthersAtTheIssuerThatIsBehind(t *testing.T) {
	ahead, behind := twoIssuers(t, nil)
	older, mine, newer := ahead.mint(t, "u1"), behind.mint(t, "u1"), ahead.mint(t, "u1")
	if n, err := behind.svc.RevokeOthers(t.Context(), behind.holder(t, mine)); err != nil || n != 2 {
		t.Errorf("revoked %d: %v, want 2", n, err)
	}
	ahead.wantDead(t, older.RefreshToken, newer.RefreshToken)
	ahead.refresh(t, mine.RefreshToken)
	ahead.refresh(t, behind.mint(t, "u1").RefreshToken)
}

// The issuer that is behind begins sessions: their identifiers grow over all users and
// issuers.
func TestMintAtTheIssuerThatIsBehind(t *testing.T) {
	ahead, behind := twoIssuers(t, nil)
	last := ahead.mint(t, "u1").View.ID
	for i := range 10 {
		f := []*fixture{behind, ahead}[i%2]
		g := f.mint(t, []string{"u1", "u2"}[i/2%2])
		if g.View.ID.Compare(last) <= 0 {
			t.Errorf("%s is not above %s", g.View.ID, last)
		}
		last = g.View.ID
		f.holder(t, g)
	}
}

// One jar of cookies that is used at both issuers is one client: neither a token's age nor the
// window depends on which clock is behind.
func TestRefreshAtBothIssuers(t *testing.T) {
	ahead, behind := twoIssuers(t, nil)
	g := ahead.mint(t, "u1")
	for i := range 10 {
		f := []*fixture{behind, ahead}[i%2]
		next := f.refresh(t, g.RefreshToken)
		if again := ahead.refresh(t, g.RefreshToken); again.RefreshToken != next.RefreshToken || again.Outcome != refresh.Repeated {
			t.Errorf("a retry at the other issuer: %s", again.Outcome)
		}
		if next.AccessExpiresAt.Before(g.AccessExpiresAt) {
			t.Errorf("a token until %v after one until %v", next.AccessExpiresAt, g.AccessExpiresAt)
		}
		g = next
	}
}

// The limit is exact over both issuers.
func TestLimitOverTwoIssuers(t *testing.T) {
	ahead, behind := twoIssuers(t, func(c *session.Config) { c.MaxPerUser = 2 })
	first := ahead.mint(t, "u1")
	second := behind.mint(t, "u1")
	behind.mint(t, "u1")
	ahead.wantDead(t, first.RefreshToken)
	ahead.mint(t, "u1")
	behind.wantDead(t, second.RefreshToken)
	if live, err := behind.svc.List(t.Context(), "u1"); err != nil || len(live) != 2 {
		t.Errorf("%d are live: %v", len(live), err)
	}
}
