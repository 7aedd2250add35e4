package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// cutOff returns an issuer that is down, a guard whose list is stale for that reason, a token
// of a session that was revoked before, and a good token.
func cutOff(t *testing.T, policy guard.Policy) (iss *guardtest.Issuer, g *guard.Guard, gone, good string) {
	t.Helper()
	c := newClock()
	iss = guardtest.New(t, guardtest.Config{Now: c.Now})
	g = iss.Guard(t, quiet, func(config *guard.Config) { config.Stale = policy })
	gone, good = iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, gone)
	iss.Await(t, g)
	accepted(t, g, good)
	iss.Down(true)
	guardtest.Until(t, func() bool { return !g.Stats().Connected })
	c.Advance(30 * time.Second)
	if g.Stats().Stale {
		t.Error("the list is stale after 30 s")
	}
	accepted(t, g, good)
	c.Advance(time.Second)
	if !g.Stats().Stale {
		t.Error("the list is fresh after 31 s")
	}
	return iss, g, gone, good
}

// T31, fail_closed: good tokens are refused as stale, others for their own reason. When the
// issuer is back, tokens are accepted again, but not those revoked meanwhile.
func TestStaleFailClosed(t *testing.T) {
	t.Parallel()
	iss, g, gone, good := cutOff(t, guard.FailClosed)
	unseen := iss.Mint(t, jwt.Claims{})
	refused(t, g, good, guard.ErrStale)
	refused(t, g, unseen, guard.ErrStale)
	refused(t, g, gone, guard.ErrRevoked)
	refused(t, g, "x", jwt.ErrEncoding)
	guardtest.Until(t, func() bool { return g.Stats().Feed.Err != nil }) // of an attempt to reconnect
	if s := g.Stats(); s.StaleRefused != 2 || s.StaleAccepted != 0 {
		t.Errorf("%+v", s)
	}
	iss.Revoke(t, good)
	iss.Down(false)
	iss.Await(t, g)
	accepted(t, g, unseen)
	refused(t, g, good, guard.ErrRevoked)
}

// T31, fail_open: good tokens are accepted and counted, those on the list are refused.
func TestStaleFailOpen(t *testing.T) {
	_, g, gone, good := cutOff(t, guard.FailOpen)
	accepted(t, g, good)
	refused(t, g, gone, guard.ErrRevoked)
	if s := g.Stats(); s.StaleAccepted != 1 || s.StaleRefused != 0 {
		t.Errorf("%d accepted, %d refused", s.StaleAccepted, s.StaleRefused)
	}
}

// A route can have a policy of its own.
func TestStaleByRoute(t *testing.T) {
	_, g, gone, good := cutOff(t, guard.FailClosed)
	for policy, want := range map[guard.Policy]error{
		guard.FailOpen: nil, guard.FailClosed: guard.ErrStale, guard.Introspect: guard.ErrStale,
	} {
		if _, err := g.Verify(t.Context(), good, guard.WhenStale(policy)); !errors.Is(err, want) {
			t.Errorf("%s: %v", policy, err)
		}
		if _, err := g.Verify(t.Context(), gone, guard.WhenStale(policy)); !errors.Is(err, guard.ErrRevoked) {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// T31, introspect: while the stream fails and the issuer answers, it is asked about each
// token.
func TestStaleIntrospect(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	answer(iss, streamPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	g := iss.Guard(t, quiet, func(config *guard.Config) { config.Stale = guard.Introspect })
	gone, good := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, gone)
	accepted(t, g, gone) // the list is not stale yet, and does not have the session
	c.Advance(31 * time.Second)
	accepted(t, g, good)
	refused(t, g, gone, guard.ErrRevoked)
	if s := g.Stats(); s.Introspected != 2 || iss.Requests("/oauth/introspect") != 2 {
		t.Errorf("%d introspected, %d requests", s.Introspected, iss.Requests("/oauth/introspect"))
	}
}

func TestIntrospectionThatDoesNotAnswer(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet, func(config *guard.Config) { config.Stale = guard.Introspect })
	token := iss.Mint(t, jwt.Claims{})
	own := accepted(t, g, token).SessionID
	for name, body := range map[string]string{
		"empty":           ``,
		"not JSON":        `active`,
		"no active":       `{"sid":"x"}`,
		"active a string": `{"active":"true"}`,
		"twice":           `{"active":false,"active":true}`,
		"another session": `{"active":true,"sid":"018bcfe5-6800-7000-8000-0123456789ab","sub":"u1"}`,
		"another user":    `{"active":true,"sid":"` + own + `","sub":"u2"}`,
		"no user":         `{"active":true,"sid":"` + own + `"}`,
	} {
		iss.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if r.URL.Path != "/oauth/introspect" {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = w.Write([]byte(body))
		})
		iss.Cut()
		guardtest.Until(t, func() bool { return !g.Stats().Connected })
		for !g.Stats().Stale {
			c.Advance(31 * time.Second)
		}
		if _, err := g.Verify(t.Context(), token); !errors.Is(err, guard.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stalling is a network on which streams open, but nothing arrives.
type stalling struct{ next http.RoundTripper }

func (s stalling) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != streamPath {
		return s.next.RoundTrip(r)
	}
	body, writer := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(context.Cause(r.Context())) })
	go func() { _, _ = writer.Write([]byte(": alive\n\n")) }() // a comment is no alive
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body, Request: r,
	}, nil
}

// A connection without an alive is closed, and a new one made after a snapshot. So a guard
// behind a proxy that holds streams back still learns of revocations.
func TestStalledStream(t *testing.T) {
	t.Parallel()
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	synctest.Test(t, func(t *testing.T) {
		g := iss.Guard(t, quiet, func(config *guard.Config) {
			config.HTTPClient = &http.Client{Transport: stalling{&http.Transport{DisableKeepAlives: true}}}
		})
		<-time.After(19 * time.Second)
		if s := g.Stats(); s.Connections != 1 || s.Faults != 0 {
			t.Errorf("after 19 s: %d connections, %v", s.Connections, s.Feed.Err)
		}
		token := iss.Mint(t, jwt.Claims{})
		iss.Revoke(t, token)
		<-time.After(2 * time.Second)
		if s := g.Stats(); s.Connections != 2 || s.Connected || !strings.Contains(fmt.Sprint(s.Feed.Err), "silent") {
			t.Errorf("after 21 s: %d connections, %v", s.Connections, s.Feed.Err)
		}
		<-time.After(4 * time.Second) // the issuer's clock stands still, so a snapshot proves nothing, and is followed by another one within 5 s
		refused(t, g, token, guard.ErrRevoked)
	})
}

// The service's clock is 30 s off. Tokens are checked with the leeway, and no revocation is
// missed or dropped early.
func TestClockOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"behind": -30 * time.Second, "ahead": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			iss := guardtest.New(t, guardtest.Config{Now: c.Now, Lifetime: 2 * time.Minute})
			g := iss.Guard(t, quiet, func(config *guard.Config) {
				config.Now = func() time.Time { return c.Now().Add(off) }
				config.Leeway = time.Minute
			})
			token, good := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
			accepted(t, g, token)
			iss.Revoke(t, token)
			iss.Await(t, g)
			for elapsed := time.Duration(0); elapsed < 5*time.Minute; elapsed += 10 * time.Second {
				if _, err := g.Verify(t.Context(), token); !errors.Is(err, guard.ErrRevoked) && !errors.Is(err, jwt.ErrExpired) {
					t.Fatalf("after %s: %v", elapsed, err)
				}
				if elapsed == 0 {
					accepted(t, g, good)
				}
				c.Advance(10 * time.Second)
				before := g.Stats().ConfirmedAt
				iss.Alive()
				guardtest.Until(t, func() bool { return g.Stats().ConfirmedAt.After(before) })
			}
		})
	}
}

// A clock that jumps an hour ahead, and back, does not make the guard drop revocations.
func TestClockJump(t *testing.T) {
	t.Parallel()
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	var jump atomic.Int64
	g := iss.Guard(t, quiet, func(config *guard.Config) {
		config.Now = func() time.Time { return c.Now().Add(time.Duration(jump.Load())) }
	})
	token, good := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, token)
	iss.Await(t, g)
	accepted(t, g, good)
	jump.Store(int64(time.Hour))
	refused(t, g, good, jwt.ErrExpired) // although it is in the cache
	if !g.Stats().Stale {
		t.Error("a confirmation that is an hour old is fresh")
	}
	iss.Alive()
	guardtest.Until(t, func() bool { return errors.Is(g.Stats().Feed.Err, guard.ErrClock) })
	jump.Store(0)
	iss.Await(t, g)
	refused(t, g, token, guard.ErrRevoked)
	accepted(t, g, good)
	jump.Store(int64(-time.Hour))
	refused(t, g, good, jwt.ErrIssuedAt)
	refused(t, g, iss.Mint(t, jwt.Claims{}), jwt.ErrIssuedAt)
}

// A relay that delays every message is noticed: a confirmation counts from its iat.
func TestDelayedFeedIsStale(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	late := 80 * time.Second // more than clocks may differ
	g := iss.Guard(t, quiet, func(config *guard.Config) {
		config.Now = func() time.Time { return c.Now().Add(late) }
		config.Leeway = time.Minute
	})
	iss.Await(t, g)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	c.Advance(11 * time.Second) // it came 11 s ago, but was issued 91 s ago, and 60 + 30 s are allowed
	refused(t, g, token, guard.ErrStale)
}

// After Close the list grows stale, and the policy applies.
func TestClose(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t)
	token := iss.Mint(t, jwt.Claims{})
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Error(err)
	}
	accepted(t, g, token)
	c.Advance(31 * time.Second)
	refused(t, g, token, guard.ErrStale)
	refused(t, g, iss.Mint(t, jwt.Claims{}), guard.ErrStale)
}
