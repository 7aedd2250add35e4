package session_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/internal/rounds"
	"issuer.example/session"
)

// A revoke races redeems of the same session, many times. Once the revoke has returned,
// nothing revives the session: not a redeem that begins then, and not the successor that a
// redeem in flight returned (invariant 1: never resurrect).
func TestRevokeAgainstRedeem(t *testing.T) {
	const workers = 48
	all := int64(rounds.Rounds(t, 2000, 30_000))
	f := newFixture(t, nil)
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for w := range workers {
		wg.Go(func() {
			user := fmt.Sprintf("u%d", w)
			for next.Add(1) <= all && !t.Failed() {
				f.raceOnce(t, user)
			}
		})
	}
	wg.Wait()
}

func (f *fixture) raceOnce(t *testing.T, user string) {
	g := f.mint(t, user)
	tokens := []string{g.RefreshToken}
	var (
		wg       sync.WaitGroup
		inFlight session.Grant
		raced    error
	)
	wg.Go(func() { inFlight, raced = f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{}) })
	if err := f.svc.Revoke(t.Context(), g.View.ID, session.Cause{Reason: session.ReasonServiceRevoked}); err != nil {
		t.Errorf("revoke: %v", err)
	}
	_, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{})
	if !errors.Is(err, session.ErrRevoked) {
		t.Errorf("a redeem after the revoke had returned: %v", err)
	}
	wg.Wait()
	switch {
	case raced == nil:
		tokens = append(tokens, inFlight.RefreshToken)
		if _, err := f.svc.Authenticate(t.Context(), inFlight.AccessToken); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("the access token of the redeem in flight: %v", err)
		}
	case !errors.Is(raced, session.ErrRevoked):
		t.Errorf("the redeem in flight: %v", raced)
	}
	f.wantDead(t, tokens...)
}
