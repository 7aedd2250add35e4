package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

var (
	home  = session.Device{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "curl/8.5.0"}
	train = session.Device{IP: netip.MustParseAddr("198.51.100.1"), UserAgent: "curl/8.5.0"}
)

func (f *fixture) refreshFrom(t *testing.T, token string, from session.Device, want refresh.Outcome) session.Grant {
	t.Helper()
	g, err := f.svc.Refresh(t.Context(), token, from)
	if err != nil || g.Outcome != want {
		t.Fatalf("a refresh is %s, %v; want %s", g.Outcome, err, want)
	}
	return g
}

// What counts as elsewhere within the window: another network or another browser, if both are known.
func TestElsewhere(t *testing.T) {
	f := newFixture(t, nil)
	address := func(text string) session.Device { return session.Device{IP: netip.MustParseAddr(text)} }
	agent := func(text string) session.Device { return session.Device{UserAgent: text} }
	for _, tt := range []struct {
		first, then session.Device
		want        refresh.Outcome
	}{
		{home, home, refresh.Repeated},
		{home, train, refresh.Elsewhere},
		{home, session.Device{}, refresh.Repeated},
		{session.Device{}, home, refresh.Repeated},
		{address("192.0.2.1"), address("192.0.2.254"), refresh.Repeated},
		{address("192.0.2.1"), address("192.0.3.1"), refresh.Elsewhere},
		{address("192.0.2.1"), address("::ffff:192.0.2.7"), refresh.Repeated},
		{address("192.0.2.1"), address("2001:db8::1"), refresh.Elsewhere},
		{address("2001:db8:0:aa00::1"), address("2001:db8:0:aaff::1"), refresh.Repeated},
		{address("2001:db8:0:aa00::1"), address("2001:db8:0:ab00::1"), refresh.Elsewhere},
		{address("192.0.2.1"), agent("curl/8.5.0"), refresh.Repeated},
		{agent("curl/8.5.0"), agent("curl/8.6.0"), refresh.Repeated},
		{agent("curl/8.5.0"), agent("Wget/1.21.4"), refresh.Elsewhere},
		{agent("curl/8.5.0\x00\r\n"), agent("curl/8.5.0"), refresh.Repeated},
	} {
		for _, policy := range []refresh.LateRetry{refresh.LateRetryAllow, refresh.LateRetryRevoke} {
			f.config.Refresh.LateRetry = policy
			f.reopen(t)
			g := f.mint(t, "u1")
			f.refreshFrom(t, g.RefreshToken, tt.first, refresh.Advanced)
			facts := len(f.facts(t))
			f.refreshFrom(t, g.RefreshToken, tt.then, tt.want)
			if len(f.facts(t)) != facts {
				t.Error("a refresh has written a fact")
			}
		}
	}
}

// Two holders in step, from different places, are noticed in the third generation, and the log
// says of both where they were. Reading a token says what redeeming it does.
func TestApart(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	g := f.mint(t, "u1")
	victim, thief := g.RefreshToken, g.RefreshToken
	for _, want := range []refresh.Outcome{refresh.Elsewhere, refresh.Apart} {
		f.clock.advance(5 * time.Minute)
		victim = f.refreshFrom(t, victim, home, refresh.Advanced).RefreshToken
		idle, _ := f.svc.Get(t.Context(), g.View.ID)
		f.clock.advance(window - time.Millisecond)
		next := f.refreshFrom(t, thief, train, want).RefreshToken
		f.refreshFrom(t, thief, train, want) // again in the same generation
		thief = next
		if v, err := f.svc.Get(t.Context(), g.View.ID); err != nil || !v.IdleExpiresAt.Equal(idle.IdleExpiresAt) {
			t.Errorf("it has moved the idle end: %v", err)
		}
	}
	if n := strings.Count(log.String(), "refresh token used apart"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
	f.reopen(t)
	f.clock.advance(5 * time.Minute)
	victim = f.refreshFrom(t, victim, home, refresh.Advanced).RefreshToken
	if _, err := f.svc.Validate(t.Context(), thief, train); !errors.Is(err, session.ErrRefreshTokenReused) {
		t.Errorf("reading it says %v", err)
	}
	f.wantEnd(t, g.View.ID, "")
	refused, err := f.svc.Refresh(t.Context(), thief, train)
	if !errors.Is(err, session.ErrRefreshTokenReused) || refused.View.ID != g.View.ID || refused.Outcome != refresh.Reused {
		t.Errorf("redeeming it is %v: %+v", err, refused)
	}
	f.wantEnd(t, g.View.ID, session.ReasonRefreshReuse)
	f.wantDead(t, victim, thief)
	v, err := f.svc.Get(t.Context(), g.View.ID)
	if want := (session.Reuse{Generation: 3, From: train}); err != nil || v.Reuse != want || v.RedeemedFrom != home || v.Generation != 3 {
		t.Errorf("on record is %+v, %v", v, err)
	}
	want := `level=WARN msg="refresh token reused: session ended" generation=3 ip=198.51.100.1 browser=curl ` +
		`last_generation=3 last_ip=192.0.2.1 last_browser=curl last_at=` + v.RedeemedAt.Format(time.RFC3339Nano)
	if !strings.Contains(log.String(), want) {
		t.Errorf("want %s:\n%s", want, log.String())
	}
}

// A mode that refuses binds a session whose sign-in has no address or browser to those of its
// first refresh, says so once, and holds to it.
func TestBindingToTheFirstRefresh(t *testing.T) {
	wget := session.Device{IP: home.IP, UserAgent: "Wget/1.21.4"}
	for _, tt := range []struct {
		binding session.BindingPolicy
		from    session.Device
		want    error
		bound   session.Device
	}{
		{session.BindingPolicy{IP: session.BindingEnforce}, train, session.ErrBindingMismatch, session.Device{IP: home.IP}},
		{session.BindingPolicy{IP: session.BindingStepUp}, train, session.ErrNotFresh, session.Device{IP: home.IP}},
		{session.BindingPolicy{UserAgent: session.BindingEnforce}, wget, session.ErrBindingMismatch, session.Device{UserAgent: home.UserAgent}},
		{session.BindingPolicy{IP: session.BindingEnforce, UserAgent: session.BindingStepUp}, home, nil, home},
		{session.BindingPolicy{IP: session.BindingLog, UserAgent: session.BindingLog}, train, nil, session.Device{}},
		{session.BindingPolicy{}, train, nil, session.Device{}},
	} {
		var log bytes.Buffer
		f := newFixture(t, func(c *session.Config) {
			c.Binding, c.Logger = tt.binding, slog.New(slog.NewTextHandler(&log, nil))
		})
		g := f.mint(t, "u1")
		next := f.refreshFrom(t, g.RefreshToken, home, refresh.Advanced)
		facts := f.facts(t)
		if len(facts) != 1 || facts[0].Kind != fact.Created {
			t.Errorf("%+v: the facts are %+v", tt.binding, facts)
		}
		f.clock.advance(time.Minute)
		v, err := f.svc.Get(t.Context(), g.View.ID)
		if err != nil || v.IP != tt.bound.IP || v.UserAgent != tt.bound.UserAgent {
			t.Errorf("%+v: bound to %v %q (%v), want %+v", tt.binding, v.IP, v.UserAgent, err, tt.bound)
		}
		if _, err := f.svc.Refresh(t.Context(), next.RefreshToken, tt.from); !errors.Is(err, tt.want) {
			t.Errorf("%+v: then from %+v it is %v, want %v", tt.binding, tt.from, err, tt.want)
		}
		said := strings.Contains(log.String(), "session bound to those of its first use")
		if said != (tt.bound != session.Device{}) || strings.Count(log.String(), "session bound") > 1 {
			t.Errorf("%+v: said so %t:\n%s", tt.binding, said, log.String())
		}
	}
}

// A hand-off is bound to the page that claims it, which is its first use, unless the sign-in says more.
func TestBindingToTheClaim(t *testing.T) {
	for _, tt := range []struct {
		signIn, bound session.Device
		want          error
	}{
		{session.Device{}, home, session.ErrBindingMismatch},
		{train, train, nil},
	} {
		var log bytes.Buffer
		f := newFixture(t, func(c *session.Config) {
			c.Binding = session.BindingPolicy{IP: session.BindingEnforce}
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		h, err := f.svc.MintHandoff(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, From: tt.signIn}, spa)
		if err != nil {
			t.Fatal(err)
		}
		g, err := f.svc.Claim(t.Context(), h.Code, spa, home)
		if err != nil || g.View.IP != tt.bound.IP {
			t.Fatalf("claimed: bound to %v (%v), want %v", g.View.IP, err, tt.bound.IP)
		}
		if said := strings.Contains(log.String(), "session bound to those of its first use"); said != (tt.signIn == session.Device{}) {
			t.Errorf("said so %t:\n%s", said, log.String())
		}
		if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, train); !errors.Is(err, tt.want) {
			t.Errorf("then from elsewhere it is %v, want %v", err, tt.want)
		}
	}
}

// Without a window there is no moment to hide, and times are exact.
func TestNoWindowNoSteps(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.Refresh.Window = 0 })
	g := f.mint(t, "u1")
	f.clock.advance(90*time.Second + time.Millisecond)
	g = f.refresh(t, g.RefreshToken)
	if h := f.holder(t, g); !h.View.LastSeenAt.Equal(f.clock.now()) || !h.View.IdleExpiresAt.Equal(f.clock.now().Add(f.config.IdleTimeout)) {
		t.Errorf("last seen at %v, idle at %v", h.View.LastSeenAt, h.View.IdleExpiresAt)
	}
}
