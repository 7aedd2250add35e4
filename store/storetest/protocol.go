package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/session"
)

// RunProtocol runs the invariants of refreshing and revoking, through a session service on
// the store. [Run] runs them too. (That a session takes no more room however often it is
// refreshed is measured where the store's size is known.)
func RunProtocol(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"NeverResurrect":  testNeverResurrect,
		"NeverFork":       testNeverFork,
		"NoFalseAlarm":    testNoFalseAlarm,
		"SiblingsSurvive": testSiblingsSurvive,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// A revoke races redeems of the same session. Once it has returned, nothing brings the
// session back: not a redeem that begins then, and not the successor that a redeem in
// flight came home with, and not a crash.
func testNeverResurrect(t *testing.T, open Open) {
	const (
		rounds  = 600
		workers = 24
	)
	s := newService(t, open)
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		mu   sync.Mutex
		dead []string
	)
	for w := range workers {
		wg.Go(func() {
			for next.Add(1) <= rounds && !t.Failed() {
				tokens := s.race(t, fmt.Sprintf("u%d", w))
				s.wantDead(t, tokens...)
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

// race revokes a session beside a redeem and returns all tokens that there are of it.
func (s *service) race(t *testing.T, user string) []string {
	t.Helper()
	g := s.mint(t, user)
	tokens := []string{g.RefreshToken}
	var (
		wg       sync.WaitGroup
		inFlight session.Grant
		raced    error
	)
	wg.Go(func() { inFlight, raced = s.Refresh(t.Context(), g.RefreshToken, session.Client{}) })
	if err := s.Revoke(t.Context(), g.View.ID, session.ReasonServiceRevoked); err != nil {
		t.Errorf("revoke: %v", err)
	}
	s.wantDead(t, g.RefreshToken)
	wg.Wait()
	switch {
	case raced == nil:
		tokens = append(tokens, inFlight.RefreshToken)
		if _, err := s.Authenticate(t.Context(), inFlight.AccessToken); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("the access token that came home: %v", err)
		}
	case !errors.Is(raced, session.ErrRevoked):
		t.Errorf("the redeem in flight: %v", raced)
	}
	return tokens
}

// Two holders who have shared a token, and who redeem more than a window apart, end in a
// revoked session by the time that each has redeemed twice.
func testNeverFork(t *testing.T, open Open) {
	s := newService(t, open)
	rapid.Check(t, func(t *rapid.T) {
		shared := s.mint(t, "u1").RefreshToken
		for range rapid.IntRange(0, 3).Draw(t, "refreshes before the theft") {
			s.wait(window + time.Minute)
			shared = s.redeem(t, shared).RefreshToken
		}
		holder := [2]string{shared, shared}
		var redeems [2]int
		for redeems[0] < 2 || redeems[1] < 2 {
			s.wait(window + time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "gap")))
			who := rapid.IntRange(0, 1).Draw(t, "who")
			g, err := s.Refresh(t.Context(), holder[who], session.Client{})
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

// One cookie jar is shared by tabs, which refresh one at a time and give up within the
// window, and by servers, which redeem whatever the browser sent them and drop the new
// cookie. Replies are lost, requests are repeated. Nobody is ever taken for a thief.
func testNoFalseAlarm(t *testing.T, open Open) {
	s := newService(t, open)
	rapid.Check(t, func(t *rapid.T) {
		jar := &jar{s: s, token: s.mint(t, "u1").RefreshToken}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.wait(time.Duration(rapid.Int64Range(0, int64(2*window)).Draw(t, "pause")))
			jar.deliverLate(t)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0: // a server renders with the browser's cookie
				jar.inFlight = append(jar.inFlight, sent{jar.token, s.time().Add(window)})
			case 1: // one of those requests arrives
				if n := len(jar.inFlight); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "which")
					s.redeem(t, jar.inFlight[i].token)
					jar.inFlight = slices.Delete(jar.inFlight, i, i+1)
				}
			case 2: // a tab refreshes; the access token has expired, so a window has gone by
				if s.time().Sub(jar.rotated) >= window {
					jar.token, jar.rotated = s.redeem(t, jar.token).RefreshToken, s.time()
				}
			case 3: // a tab refreshes and the reply is lost
				if s.time().Sub(jar.rotated) >= window {
					s.redeem(t, jar.token)
				}
			}
		}
	})
}

// jar is a browser's cookie, and the requests of servers that carry copies of it.
type jar struct {
	s        *service
	token    string
	rotated  time.Time // when a tab last put a new token into it
	inFlight []sent
}

type sent struct {
	token    string
	deadline time.Time // it is processed within a window of its being sent
}

// deliverLate processes what can wait no longer, in its time.
func (j *jar) deliverLate(t failer) {
	now := j.s.time()
	j.inFlight = slices.DeleteFunc(j.inFlight, func(r sent) bool {
		if now.Before(r.deadline) {
			return false
		}
		j.s.at(r.deadline.Add(-time.Millisecond))
		j.s.redeem(t, r.token)
		return true
	})
	j.s.at(now)
}

// A refresh leaves the access tokens that were issued before it as good as they were.
func testSiblingsSurvive(t *testing.T, open Open) {
	s := newService(t, open)
	g := s.mint(t, "u1")
	issued := []string{g.AccessToken}
	for n := range 8 {
		if n%3 > 0 {
			s.wait(window + time.Second)
		}
		token := g.RefreshToken
		g = s.redeem(t, token)
		issued = append(issued, g.AccessToken, s.redeem(t, token).AccessToken)
		for _, access := range issued {
			if _, err := s.Authenticate(t.Context(), access); err != nil {
				t.Fatalf("after %d refreshes: %v", n+1, err)
			}
		}
	}
}
