package session_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/session"
)

const window = 10 * time.Second

// Two holders who have shared a token, and who redeem more than a window apart, end in a
// revoked session by the time that each has redeemed twice (invariant 2: never fork quietly).
func TestTwoHoldersAreNoticed(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.AbsoluteTimeout, c.IdleTimeout = 1e6*time.Hour, 1e6*time.Hour })
	rapid.Check(t, func(t *rapid.T) {
		shared := f.mint(t, "u1").RefreshToken
		for range rapid.IntRange(0, 3).Draw(t, "refreshes before the theft") {
			f.clock.advance(window + time.Minute)
			shared = f.refresh(t, shared).RefreshToken
		}
		holder := [2]string{shared, shared}
		var redeems [2]int
		for redeems[0] < 2 || redeems[1] < 2 {
			f.clock.advance(window + time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "gap")))
			who := rapid.IntRange(0, 1).Draw(t, "who")
			g, err := f.svc.Refresh(t.Context(), holder[who], session.Client{})
			if errors.Is(err, session.ErrRefreshTokenReused) {
				f.wantDead(t, holder[1-who], holder[who])
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
// cookie. Replies are lost, requests are repeated. Nobody is ever taken for a thief
// (invariant 3: never a false alarm).
func TestOneCookieJarIsNeverAThief(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.AbsoluteTimeout, c.IdleTimeout = 1e6*time.Hour, 1e6*time.Hour })
	rapid.Check(t, func(t *rapid.T) {
		jar := f.mint(t, "u1").RefreshToken
		type request struct {
			token    string
			deadline time.Time // it is processed within a window of its being sent
		}
		var (
			inFlight []request // by servers
			rotated  time.Time // when a tab last put a new token into the jar
		)
		redeem := func(token string) string {
			g, err := f.svc.Refresh(t.Context(), token, session.Client{})
			if err != nil {
				t.Fatalf("an honest client was refused: %v", err)
			}
			return g.RefreshToken
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			f.clock.advance(time.Duration(rapid.Int64Range(0, int64(2*window)).Draw(t, "pause")))
			for i := 0; i < len(inFlight); { // what can wait no longer is processed in its time
				if r := inFlight[i]; !f.clock.now().Before(r.deadline) {
					now := f.clock.now()
					f.clock.set(r.deadline.Add(-time.Millisecond))
					redeem(r.token)
					f.clock.set(now)
					inFlight = append(inFlight[:i], inFlight[i+1:]...)
				} else {
					i++
				}
			}
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0: // a server renders with the browser's cookie
				inFlight = append(inFlight, request{jar, f.clock.now().Add(window)})
			case 1: // one of those requests arrives
				if n := len(inFlight); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "which")
					redeem(inFlight[i].token)
					inFlight = append(inFlight[:i], inFlight[i+1:]...)
				}
			case 2: // a tab refreshes; the access token has expired, so a window has gone by
				if f.clock.now().Sub(rotated) < window {
					break
				}
				jar, rotated = redeem(jar), f.clock.now()
			case 3: // a tab refreshes and the reply is lost
				if f.clock.now().Sub(rotated) >= window {
					redeem(jar)
				}
			}
		}
	})
}
