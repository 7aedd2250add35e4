package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/internal/rounds"
	"issuer.example/revocation"
	"issuer.example/session"
)

// RunProtocol runs the invariants of refreshing and revoking, through 1, 2 and 4 session
// services that share the store and whose clocks differ. [Run] runs them too. (That a
// session takes no more room however often it is refreshed is tested where the size of the
// store is known.)
func RunProtocol(t *testing.T, harness Harness) {
	t.Helper()
	limitCases(t)
	parts := map[string]func(*testing.T, Harness){}
	for name, clocks := range clocks() {
		for invariant, test := range map[string]func(*testing.T, Harness, []time.Duration){
			"NeverResurrect": testNeverResurrect,
			"NeverFork":      testNeverFork,
			"NothingSpared":  testNothingSpared,
		} {
			parts[invariant+"/"+name] = func(t *testing.T, h Harness) { test(t, h, clocks) }
		}
	}
	// The concurrency window and the leeway are shared by issuers whose clocks agree well.
	for name, clocks := range map[string][]time.Duration{
		"1": {0}, "2": {0, 2 * time.Second}, "4": {0, 2 * time.Second, -time.Second, time.Second},
	} {
		for invariant, test := range map[string]func(*testing.T, Harness, []time.Duration){
			"NeverInStep":     testNeverInStep,
			"NoFalseAlarm":    testNoFalseAlarm,
			"SiblingsSurvive": testSiblingsSurvive,
		} {
			parts[invariant+"/"+name] = func(t *testing.T, h Harness) { test(t, h, clocks) }
		}
	}
	subtests(t, harness, parts)
}

// A revocation races redeems of the same session. Once it has returned, nothing brings the
// session back: not a redeem that begins then, not the successor that a redeem in flight
// has received, and not a crash.
func testNeverResurrect(t *testing.T, harness Harness, clocks []time.Duration) {
	const workers = 12
	s := newServices(t, harness, clocks)
	races := int64(rounds.Rounds(t, 60, 600))
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		mu   sync.Mutex
		dead []string
	)
	for w := range workers {
		wg.Go(func() {
			for n := next.Add(1); n <= races && !t.Failed(); n = next.Add(1) {
				tokens := s.race(t, fmt.Sprintf("u%d", w), n%2 == 0)
				mu.Lock()
				dead = append(dead, tokens...)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	s.crash()
	s.wantDead(t, dead...)
}

// race revokes a session, by itself or with all of its user, beside a redeem, and returns
// all tokens that there are of it.
func (s *services) race(t *testing.T, user string, all bool) []string {
	t.Helper()
	g := s.mint(t, user)
	tokens := []string{g.RefreshToken}
	var (
		wg       sync.WaitGroup
		inFlight session.Grant
		raced    error
		cause    = session.Cause{Reason: session.ReasonServiceRevoked}
	)
	wg.Go(func() { inFlight, raced = s.any().Refresh(t.Context(), g.RefreshToken, session.Device{}) })
	var err error
	if all {
		_, err = s.any().RevokeUser(t.Context(), session.RevokeUserRequest{UserID: user, Cause: cause})
	} else {
		err = s.any().Revoke(t.Context(), g.View.ID, cause)
	}
	if err != nil {
		t.Errorf("revoke: %v", err)
	}
	s.wantDead(t, g.RefreshToken)
	wg.Wait()
	switch {
	case raced == nil:
		tokens = append(tokens, inFlight.RefreshToken)
		s.wantDead(t, inFlight.RefreshToken)
		s.wantDeadAccess(t, inFlight.AccessToken)
	case !errors.Is(raced, session.ErrRevoked):
		t.Errorf("the redeem in flight: %v", raced)
	}
	return tokens
}

// wantDeadAccess fails if an access token is taken by any issuer whose clock allows it.
func (s *services) wantDeadAccess(t failer, access string) {
	t.Helper()
	for _, issuer := range s.issuers {
		_, err := issuer.Authenticate(t.Context(), access)
		if err == nil || s.spread() < maxLeeway && !errors.Is(err, session.ErrRevoked) {
			t.Errorf("an access token of an ended session: %v", err)
		}
	}
}

// A revocation by any issuer ends all sessions of its scope, whichever issuer they began at
// and whatever the clocks say, and none that begins after it.
func testNothingSpared(t *testing.T, harness Harness, clocks []time.Duration) {
	s := newServices(t, harness, clocks)
	cause := session.Cause{Reason: session.ReasonServiceRevoked}
	for n, pair := range pairs(len(clocks)) {
		by := s.issuers[pair[1]]
		for kind, revoke := range map[string]func(user string) error{
			"user": func(user string) error {
				ended, err := by.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: user, Cause: cause})
				if ended != 1 {
					t.Errorf("%d sessions were revoked, of 1", ended)
				}
				return err
			},
			"client":     func(string) error { return by.RevokeClient(t.Context(), "app", cause) },
			"everything": func(string) error { return by.RevokeEverything(t.Context(), cause) },
		} {
			user := fmt.Sprintf("u%d of %s", n, kind)
			request := session.MintRequest{User: session.User{ID: user}, ClientID: "app"}
			before, err := s.issuers[pair[0]].Mint(t.Context(), request)
			if err = errors.Join(err, revoke(user)); err != nil {
				t.Fatal(err)
			}
			later, err := s.issuers[pair[0]].Mint(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			s.wantDead(t, before.RefreshToken)
			s.redeem(t, later.RefreshToken)
			s.wantRevocation(t, kind, before, later)
		}
	}
}

// wantRevocation fails unless the newest revocation covers one session and not another, and
// for as long as any issuer's clock says that their tokens are good.
func (s *services) wantRevocation(t failer, kind string, before, later session.Grant) {
	t.Helper()
	fa := s.lastRevocation(t)
	entry, _ := fa.Entry()
	mark := revocation.Mark{Scope: entry.Scope, SID: entry.SID}
	if entry.Scope.Kind.String() != kind || !mark.Covers(before.View.ID) || mark.Covers(later.View.ID) {
		t.Errorf("%+v covers %s: %v; covers %s: %v", entry, before.View.ID, mark.Covers(before.View.ID),
			later.View.ID, mark.Covers(later.View.ID))
	}
	if needed := before.View.CreatedAt.Add(time.Hour + maxLeeway); entry.Until.Before(needed) {
		t.Errorf("verifiers may forget it at %v, and need it until %v", entry.Until, needed)
	}
}

// Two holders who have shared a token, and who redeem more than a window apart, end in a
// revoked session by the time that each has redeemed twice.
func testNeverFork(t *testing.T, harness Harness, clocks []time.Duration) {
	s := newServices(t, harness, clocks)
	apart := concurrency + s.spread()
	rapid.Check(t, func(t *rapid.T) {
		shared := s.mint(t, "u1").RefreshToken
		for range rapid.IntRange(0, 3).Draw(t, "refreshes before the theft") {
			s.wait(apart + time.Minute)
			shared = s.redeem(t, shared).RefreshToken
		}
		holder := [2]string{shared, shared}
		var redeems [2]int
		for redeems[0] < 2 || redeems[1] < 2 {
			s.wait(apart + time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "gap")))
			who := rapid.IntRange(0, 1).Draw(t, "who")
			g, err := s.any().Refresh(t.Context(), holder[who], session.Device{})
			if errors.Is(err, session.ErrRefreshTokenReused) {
				s.wantDead(t, holder[1-who], holder[who])
				return
			}
			if err != nil {
				t.Fatalf("holder %d: %v", who, err)
			}
			holder[who] = g.RefreshToken
			redeems[who]++
		}
		t.Fatal("both holders have redeemed twice and neither was noticed")
	})
}

// Two holders who have shared a token, and who redeem within the window of each other but from
// different places, end in a revoked session by the third generation. What reading says of a
// token is what redeeming it does then.
func testNeverInStep(t *testing.T, harness Harness, clocks []time.Duration) {
	s := newServices(t, harness, clocks)
	rapid.Check(t, func(t *rapid.T) {
		shared := s.mint(t, "u1").RefreshToken
		holder := [2]string{shared, shared}
		place := rapid.SampledFrom([][2]session.Device{
			{{IP: netip.MustParseAddr("192.0.2.1")}, {IP: netip.MustParseAddr("198.51.100.1")}},
			{{UserAgent: "curl/8.5.0"}, {UserAgent: "Wget/1.21.4"}},
		}).Draw(t, "places")
		for range 3 {
			s.wait(concurrency + s.spread() + time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "gap")))
			first := rapid.IntRange(0, 1).Draw(t, "who is first")
			for _, who := range []int{first, 1 - first} {
				issuer := s.any()
				_, verdict := issuer.Validate(t.Context(), holder[who], place[who])
				g, err := issuer.Refresh(t.Context(), holder[who], place[who])
				if !errors.Is(verdict, err) {
					t.Fatalf("reading says %v, and redeeming %v", verdict, err)
				}
				if errors.Is(err, session.ErrRefreshTokenReused) {
					s.wantDead(t, holder[1-who], holder[who])
					return
				}
				if err != nil {
					t.Fatalf("holder %d: %v", who, err)
				}
				holder[who] = g.RefreshToken
				s.wait(time.Duration(rapid.Int64Range(0, int64(concurrency/2-s.spread())-1).Draw(t, "behind")))
			}
		}
		t.Fatal("both holders have redeemed in three generations and neither was noticed")
	})
}

// One cookie jar is shared by tabs, which refresh one at a time and give up within the
// window, and by servers, which redeem what the browser sent them and drop the new cookie.
// Replies are lost, requests are repeated, and each may come from another network or browser.
// Nobody is ever taken for a thief.
func testNoFalseAlarm(t *testing.T, harness Harness, clocks []time.Duration) {
	s := newServices(t, harness, clocks)
	rapid.Check(t, func(t *rapid.T) {
		j := &jar{s: s, token: s.mint(t, "u1").RefreshToken}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.wait(time.Duration(rapid.Int64Range(0, int64(2*concurrency)).Draw(t, "pause")))
			j.deliverLate(t)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0: // a server renders with the browser's cookie
				j.inFlight = append(j.inFlight, sent{j.token, s.now().Add(concurrency - s.spread())})
			case 1: // one of those requests arrives
				if n := len(j.inFlight); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "which")
					s.redeemFrom(t, j.inFlight[i].token, drawDevice(t, "server"))
					j.inFlight = slices.Delete(j.inFlight, i, i+1)
				}
			case 2: // a tab refreshes; the access token has expired, so a window has gone by
				if s.now().Sub(j.rotated) >= concurrency {
					j.token, j.rotated = s.redeemFrom(t, j.token, drawDevice(t, "tab")).RefreshToken, s.now()
				}
			case 3: // a tab refreshes and the reply is lost
				if s.now().Sub(j.rotated) >= concurrency {
					s.redeemFrom(t, j.token, drawDevice(t, "tab"))
				}
			}
		}
	})
}

// jar is a browser's cookie, and the requests of servers that carry copies of it.
type jar struct {
	s        *services
	token    string
	rotated  time.Time // when a tab last put a new token into it
	inFlight []sent
}

// sent is a request that is processed before its deadline.
type sent struct {
	token    string
	deadline time.Time
}

// deliverLate processes the requests whose deadlines have come, each just before its own.
func (j *jar) deliverLate(t failer) {
	now := j.s.now()
	j.inFlight = slices.DeleteFunc(j.inFlight, func(r sent) bool {
		if now.Before(r.deadline) {
			return false
		}
		j.s.set(r.deadline.Add(-time.Millisecond))
		j.s.redeem(t, r.token)
		return true
	})
	j.s.set(now)
}

// A refresh leaves the access tokens that were issued before it as good as they were.
func testSiblingsSurvive(t *testing.T, harness Harness, clocks []time.Duration) {
	s := newServices(t, harness, clocks)
	g := s.mint(t, "u1")
	issued := []string{g.AccessToken}
	for n := range 8 {
		if n%3 > 0 {
			s.wait(concurrency + time.Second)
		}
		token := g.RefreshToken
		g = s.redeem(t, token)
		issued = append(issued, g.AccessToken, s.redeem(t, token).AccessToken)
		for _, access := range issued {
			if _, err := s.any().Authenticate(t.Context(), access); err != nil {
				t.Fatalf("after %d refreshes: %v", n+1, err)
			}
		}
	}
}
