package session_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/fact"
	"issuer.example/session"
)

// Each use case that changes something writes who did what, once. A refresh writes nothing.
func TestFacts(t *testing.T) {
	f := newFixture(t, nil)
	type what struct {
		Kind     fact.Kind
		What, By string
	}
	var after uint64
	want := func(how string, want ...what) {
		t.Helper()
		facts, _, err := f.store.Facts(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []what
		for _, fact := range facts {
			got = append(got, what{fact.Kind, fact.What, fact.By})
			after = fact.Number
			if !fact.At.Equal(f.clock.now()) {
				t.Errorf("%s: at %v, not %v", how, fact.At, f.clock.now())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", how, diff)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	by := func(reason session.Reason) session.Cause { return session.Cause{Reason: reason, By: "ops"} }

	g := f.mint(t, "u1")
	want("mint", what{fact.Created, "", "app"})
	f.clock.advance(time.Hour)
	g = f.refresh(t, g.RefreshToken)
	f.refresh(t, g.RefreshToken)
	want("refresh")
	_, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{By: "app", ACR: "aal2"})
	must(err)
	want("reauthentication", what{fact.Changed, "reauthenticated", "app"})
	h := f.handoff(t, spa)
	want("hand-off", what{fact.Created, "", "app"})
	_, err = f.svc.Claim(t.Context(), h.Code, spa, session.Device{})
	must(err)
	want("claim", what{fact.Changed, "claimed", ""})
	must(f.svc.Revoke(t.Context(), h.View.ID, by(session.ReasonServiceRevoked)))
	must(f.svc.Revoke(t.Context(), h.View.ID, by(session.ReasonServiceRevoked)))
	want("revoke, twice", what{fact.Ended, "revoked_by_service", "ops"})
	_, err = f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: by(session.ReasonAdminRevoked)})
	must(err)
	want("revoke user", what{fact.Marked, "revoked_by_admin", "ops"})
	f.sweep(t)
	want("sweep", what{fact.Ended, "revoked_by_admin", ""})
	_, err = f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "nobody", Cause: by(session.ReasonAdminRevoked)})
	must(err)
	want("revoke a user without sessions", what{fact.Marked, "revoked_by_admin", "ops"})
	must(f.svc.RevokeClient(t.Context(), "app", by(session.ReasonClientRevoked)))
	must(f.svc.RevokeEverything(t.Context(), by(session.ReasonKeyRevoked)))
	want("wider marks", what{fact.Marked, "revoked_by_client_id", "ops"}, what{fact.Marked, "signing_key_revoked", "ops"})
}
