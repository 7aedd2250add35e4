package handlers_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

// exhaust calls fail until the answer is 429.
func exhaust(t *testing.T, fail func() answer) answer {
	t.Helper()
	for range 200 {
		if a := fail(); a.StatusCode == 429 {
			return a
		}
	}
	t.Fatal("200 failures in a row are all answered")
	return answer{}
}

// TestFailedCredentials is rows R07 and H15: callers who guess are slowed down, and nobody else.
func TestFailedCredentials(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	forged := "rt_" + strings.Repeat("A", 64)
	for name, fail := range map[string]func() answer{
		"refresh tokens": func() answer { return f.refresh(t, forged) },
		"access tokens":  func() answer { return f.call(t, "GET", "/v1/session", nil, bearer("x.y.z")) },
		"service keys": func() answer {
			return f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer("sk_"+strings.Repeat("x", 43)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.advance(t, time.Minute)
			s.access = f.refresh(t, s.refresh).want(t, 200, "").text(t, "access_token")
			a := exhaust(t, fail).want(t, 429, "rate_limited")
			if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 60 {
				t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
			}
			// From the same address, all that is valid goes on.
			f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
			f.refresh(t, s.refresh).want(t, 200, "")
			f.mint(t, "u2")
			out := f.mint(t, "u3")
			f.call(t, "DELETE", "/v1/session", nil, bearer(out.refresh)).want(t, 204, "")
			f.call(t, "DELETE", "/v1/sessions/"+f.mint(t, "u4").id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
			// Even a bad sign-out hears the truth.
			f.call(t, "DELETE", "/v1/session", nil, bearer(forged)).want(t, 401, "refresh_token_invalid")
			// Later the address may fail again.
			f.advance(t, time.Minute)
			if a := fail(); a.StatusCode != 401 {
				t.Errorf("a minute later: %d", a.StatusCode)
			}
		})
	}
}

// TestHonestFailures: a client that repeats a credential that was once valid is not slowed down, whatever
// has become of the credential.
func TestHonestFailures(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	often := func(t *testing.T, fail func() answer, code string) {
		t.Helper()
		for range 100 { // several times as many as an address may guess
			fail().want(t, 401, code)
		}
		// Its address may still guess.
		f.refresh(t, "rt_"+strings.Repeat("A", 64)).want(t, 401, "refresh_token_invalid")
	}
	redeem := func(s tokens) func() answer { return func() answer { return f.refresh(t, s.refresh) } }
	current := func(access string) func() answer {
		return func() answer { return f.call(t, "GET", "/v1/session", nil, bearer(access)) }
	}
	t.Run("signed out, and expired", func(t *testing.T) {
		s := f.mint(t, "u1")
		f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
		f.advance(t, time.Hour)
		often(t, redeem(s), "session_revoked")
		often(t, current(s.access), "token_expired")
	})
	t.Run("for another audience", func(t *testing.T) {
		a := f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"audience":["https://api.example"]}`,
			bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
		often(t, current(a.text(t, "access_token")), "token_invalid")
		if detail := current(a.text(t, "access_token"))().text(t, "detail"); !strings.Contains(detail, "aud ") {
			t.Errorf("the refusal does not say why: %q", detail)
		}
	})
	t.Run("hand-off claimed twice", func(t *testing.T) {
		code := f.handoff(t, appOrigin)
		claim := func() answer { return f.claim(t, code, fromAppPage()) }
		claim().want(t, 200, "")
		often(t, claim, "handoff_code_invalid")
	})
	t.Run("clock set back", func(t *testing.T) {
		s := f.mint(t, "u1")
		f.advance(t, -time.Hour)
		often(t, current(s.access), "token_invalid")
		f.advance(t, time.Hour)
	})
	t.Run("signing key revoked", func(t *testing.T) {
		s := f.mint(t, "u1")
		kid := f.keys.List()[0].ID
		f.callAdmin(t, "DELETE", "/admin/v1/keys/"+kid, nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 204, "")
		often(t, current(s.access), "token_invalid")
	})
	t.Run("forgotten", func(t *testing.T) {
		s := f.mint(t, "u1")
		f.advance(t, 8*24*time.Hour)
		f.sweep(t)
		f.advance(t, 31*24*time.Hour)
		f.sweep(t)
		often(t, redeem(s), "refresh_token_invalid")
	})
	s := f.mint(t, "u1")
	f.set.sessions.RefreshKeys[0].ID++ // only the services that begin now have it
	f.public = listen(t, newServer(t, f.set).Public())
	t.Run("secret withdrawn", func(t *testing.T) {
		often(t, redeem(s), "refresh_token_invalid")
	})
}

// sweep runs the sweeper until nothing is left to do.
func (f *fixture) sweep(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = f.set.http.Sessions.Sweep(t.Context())
		must(t, err)
	}
}

// TestFailuresByAddress: guesses from one address do not slow down another one.
func TestFailuresByAddress(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(addr string) func() answer {
		return func() answer {
			return f.call(t, "GET", "/v1/session", nil, bearer("x"), header("X-Forwarded-For", addr))
		}
	}
	exhaust(t, from("203.0.113.1"))
	from("203.0.113.2")().want(t, 401, "token_invalid")
	exhaust(t, from("2001:db8::1"))
	from("2001:db8::2")().want(t, 429, "rate_limited") // the same customer
	from("2001:db8:0:1::1")().want(t, 401, "token_invalid")
	from("203.0.113.1")().want(t, 429, "rate_limited")
}

// TestAdminFailures is row O07: guesses at the admin listener are slowed down, and a valid key always works.
func TestAdminFailures(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	admin := bearer(serviceKey(client.ScopeAdmin))
	exhaust(t, func() answer {
		return f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer("sk_"+strings.Repeat("x", 43)))
	})
	f.callAdmin(t, "GET", "/admin/v1/keys", nil, admin).want(t, 200, "")
	// Many addresses together are slowed down too.
	n := 0
	exhaust(t, func() answer {
		n++
		return f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer("sk_"+strings.Repeat("x", 43)),
			header("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)))
	})
	f.callAdmin(t, "GET", "/admin/v1/keys", nil, admin).want(t, 200, "")
	// The public listener counts separately.
	f.call(t, "GET", "/v1/session", nil, bearer("x")).want(t, 401, "token_invalid")
	// A key in the query is refused without being looked up.
	f.callAdmin(t, "GET", "/admin/v1/keys?access_token="+serviceKey(client.ScopeAdmin), nil).want(t, 400, "invalid_request")
}
