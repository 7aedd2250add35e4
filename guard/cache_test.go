package guard_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/internal/rounds"
	"issuer.example/jwt"
)

// A guard with a cache, however small, and one without give the same answers, whatever
// the tokens, the time, the keys and the revocations are.
func TestCacheChangesNoAnswer(t *testing.T) {
	rounds.Rapid(t, 30, 100)
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	sized := func(size int) *guard.Guard {
		return iss.Guard(t, quiet, func(config *guard.Config) { config.CacheEntries = size })
	}
	small, large, plain := sized(8), sized(1000), sized(-1)
	rapid.Check(t, func(rt *rapid.T) {
		cached := small
		if rapid.Bool().Draw(rt, "large") {
			cached = large
		}
		tokens := []string{iss.Mint(t, jwt.Claims{})}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2:
				now := c.Now()
				tokens = append(tokens, iss.Mint(t, jwt.Claims{
					Subject:   rapid.SampledFrom([]string{"u1", "u2"}).Draw(rt, "sub"),
					IssuedAt:  now.Add(time.Duration(rapid.IntRange(-60, 10).Draw(rt, "iat")) * time.Second),
					NotBefore: now.Add(time.Duration(rapid.IntRange(-60, 20).Draw(rt, "nbf")) * time.Second),
					Expiry:    now.Add(time.Duration(rapid.IntRange(11, 90).Draw(rt, "exp")) * time.Second),
				}))
			case 3:
				tokens = append(tokens, twinOf(t, rapid.SampledFrom(tokens).Draw(rt, "of")))
			case 4, 5:
				c.Advance(time.Duration(rapid.IntRange(-20, 40).Draw(rt, "s")) * time.Second)
			case 6:
				iss.RevokeUser("u2")
				for _, g := range []*guard.Guard{small, large, plain} {
					iss.Await(t, g)
				}
			case 7:
				iss.Withdraw() // keys from before the last rotation are gone
				iss.Rotate(t)
				token := iss.Mint(t, jwt.Claims{})
				for _, g := range []*guard.Guard{small, large, plain} {
					guardtest.Until(t, func() bool { // both may look for the new key at some time, and then have it
						c.Advance(time.Second)
						_, err := g.Verify(t.Context(), token, guard.WhenStale(guard.FailOpen))
						return err == nil
					})
				}
			}
			for _, token := range tokens {
				for range 2 {
					want, errWant := plain.Verify(t.Context(), token, guard.WhenStale(guard.FailOpen))
					got, errGot := cached.Verify(t.Context(), token, guard.WhenStale(guard.FailOpen))
					if guard.Cause(errWant) != guard.Cause(errGot) || (errWant == nil) != (errGot == nil) {
						rt.Fatalf("with a cache %v, without %v", errGot, errWant)
					}
					if errGot == nil && (got.ID != want.ID || got.SessionID != want.SessionID || !got.Expiry.Equal(want.Expiry)) {
						rt.Fatalf("with a cache %+v, without %+v", got, want)
					}
				}
			}
		}
	})
}

// A token answers for itself only: not for one with another signature, payload or length.
func TestNoTokenAnswersForAnother(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	for i := range len(token) {
		for _, other := range []string{token[:i], token[:i] + flipped(token[i]) + token[i+1:]} {
			if c, err := g.Verify(t.Context(), other); err == nil {
				t.Fatalf("changed at %d: accepted as %s", i, c.ID)
			}
		}
	}
}

// flipped is another character of base64url, or of none.
func flipped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// The cache holds as many tokens as it was told, however many come, and none that is huge.
func TestCacheIsBounded(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{Algorithm: jwt.EdDSA})
	g := iss.Guard(t, func(c *guard.Config) { c.CacheEntries = 500 })
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	fill := func(n int) {
		for range n {
			accepted(t, g, iss.Mint(t, jwt.Claims{}))
		}
	}
	fill(1000)
	before := heap()
	fill(3000)
	if after := heap(); after > before+1<<20 {
		t.Errorf("3,000 more tokens take %d KiB", (after-before)>>10)
	}
	huge := iss.Mint(t, jwt.Claims{AMR: []string{strings.Repeat("a", 250)}, Audience: append(make([]string, 0, 16),
		guardtest.Audience, "https://a.example/"+strings.Repeat("a", 3000))})
	hits := g.Stats().Hits
	for range 3 {
		accepted(t, g, huge)
	}
	if g.Stats().Hits != hits {
		t.Errorf("a token of %d bytes is kept", len(huge))
	}
}
