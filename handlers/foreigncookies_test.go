package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// foreignCookies are values of other systems, and damaged ones, none of which has the form of a token of the
// issuer's.
func foreignCookies(s tokens) map[string]string {
	return map[string]string{
		"token.signature of better-auth": "tNE4xqGVYfCLsKmpeOEVZRGMYBDGTCQa.dPFjiPS9C6UCJv1mMl0LyxxATVI9ZuKcCO6rMZmN0Ao%3D",
		"unescaped signature":            "tNE4xqGVYfCLsKmpeOEVZRGMYBDGTCQa.dPFjiPS9C6UCJv1mMl0LyxxATVI9ZuKcCO6rMZmN0Ao=",
		"HS256 JWT":                      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIiwiZXhwIjoxOTAwMDAwMDAwfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
		"ES256 JWT of another issuer":    "eyJhbGciOiJFUzI1NiIsImtpZCI6Im90aGVyIiwidHlwIjoiYXQrand0In0.e30.AAAA",
		"JWE":                            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA",
		"express session":                "s%3AJ2Jk5.oXz3lqQy3",
		"UUID":                           "0f8fad5b-d9cb-469f-a165-70867728950e",
		"one letter":                     "x",
		"long":                           strings.Repeat("A", 3000),
		"our prefix only":                "rt_",
		"too short":                      s.refresh[:len(s.refresh)-1],
		"too long":                       s.refresh + "A",
		"other alphabet":                 s.refresh[:30] + "." + s.refresh[31:],
		"an access token":                s.access,
	}
}

// TestForeignCookies: a cookie that another system has set under the same name is no credential. It is not
// counted as a guess, and whoever has it is signed out.
func TestForeignCookies(t *testing.T) {
	t.Parallel()
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	for name, value := range foreignCookies(s) {
		t.Run(name, func(t *testing.T) {
			sets := [][]option{
				{cookie(refreshCookie, value), fromAppPage()},
				{cookie(refreshCookie, value), cookie(refreshCookie, "another"), fromAppPage()},
				{cookie(refreshCookie, value), fromAppPage(), header("Authorization", "Basic eDp5")},
			}
			for range 5 { // together more often than an address may guess
				for _, options := range sets {
					for _, method := range []string{"GET", "POST"} {
						if a := f.call(t, method, "/api/auth/get-session", nil, options...).null(t); !clearsAll(a) {
							t.Fatalf("%s get-session leaves the cookie: %v", method, a.Header["Set-Cookie"])
						}
					}
					f.call(t, "GET", "/api/auth/token", nil, options...).want(t, 401, "UNAUTHORIZED")
				}
				f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, value), fromAppPage()).want(t, 401, "refresh_token_invalid")
				f.call(t, "GET", "/api/auth/get-session", nil, bearer(strings.ReplaceAll(value, "%3D", "="))).want(t, 200, "")
				if name != "an access token" {
					f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, value)).want(t, 401, "token_invalid")
				}
			}
			// It does not stand in the way of a genuine one.
			a := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, value), cookie(refreshCookie, s.refresh)).want(t, 200, "")
			if got := a.identity(t).Session.ID; got != s.id {
				t.Errorf("beside a genuine one: %s", a.body)
			}
		})
	}
	f.wantGuesses(t)
}

// wantGuesses fails the test unless the address of the test may still guess.
func (f *fixture) wantGuesses(t *testing.T) {
	t.Helper()
	f.refresh(t, "rt_"+strings.Repeat("A", 64)).want(t, 401, "refresh_token_invalid")
}

// TestForgedCookies: a cookie with the form of a token and a wrong signature is a guess.
func TestForgedCookies(t *testing.T) {
	t.Parallel()
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	for name, fail := range map[string]func() answer{
		"session cookie, read": func() answer {
			return f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, damaged(s.refresh)))
		},
		"session cookie, redeemed": func() answer {
			return f.call(t, "POST", "/api/auth/get-session", nil, cookie(refreshCookie, damaged(s.refresh)), fromAppPage())
		},
		"two session cookies": func() answer {
			return f.call(t, "GET", "/api/auth/token", nil, cookie(refreshCookie, "foreign"), cookie(refreshCookie, damaged(s.refresh)))
		},
		"access cookie": func() answer { return f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, damaged(s.access))) },
		"bearer":        func() answer { return f.call(t, "GET", "/api/auth/get-session", nil, bearer(damaged(s.refresh))) },
	} {
		t.Run(name, func(t *testing.T) {
			exhaust(t, fail).want(t, http.StatusTooManyRequests, "")
			f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
			f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, "foreign")).null(t)
			f.advance(t, time.Minute)
		})
	}
}

// TestCookiesOfADroppedSecret: browsers still have cookies that were sealed with a secret which is no longer
// configured.
func TestCookiesOfADroppedSecret(t *testing.T) {
	t.Parallel()
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	f.set.sessions.RefreshKeys[0].ID++
	f.public = listen(t, newServer(t, f.set).Public())
	for range 100 {
		for _, method := range []string{"GET", "POST"} {
			if a := f.call(t, method, "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh), fromAppPage()).null(t); !clearsAll(a) {
				t.Fatalf("the cookie stays: %v", a.Header["Set-Cookie"])
			}
		}
	}
	f.wantGuesses(t)
}
