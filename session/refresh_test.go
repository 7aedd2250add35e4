package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

func TestRefreshRotates(t *testing.T) {
	f := newFixture(t, nil)
	g := f.mint(t, "u1")
	f.clock.advance(time.Hour)
	next := f.refresh(t, g.RefreshToken)
	if next.RefreshToken == g.RefreshToken || next.AccessToken == g.AccessToken || next.View.ID != g.View.ID {
		t.Errorf("not rotated: %+v", next)
	}
	if !next.View.LastSeenAt.Equal(f.clock.now()) || !next.View.IdleExpiresAt.Equal(f.clock.now().Add(f.config.IdleTimeout)) {
		t.Errorf("its idle end is not moved: %+v", next.View)
	}
	h := f.holder(t, next)
	if h.Claims.ID == "" || h.Claims.Subject != "u1" || !h.Claims.Expiry.Equal(f.clock.now().Add(5*time.Minute)) {
		t.Errorf("claims: %+v", h.Claims)
	}
	// Never kill a sibling (invariant 5): the access token before it is good until it expires.
	f.clock.advance(-time.Hour)
	if _, err := f.svc.Authenticate(t.Context(), g.AccessToken); err != nil {
		t.Errorf("the access token before the refresh: %v", err)
	}
}

// R02: any number of uses of one token at once make one new generation and get one successor.
func TestParallelUsesGetOneSuccessor(t *testing.T) {
	f := newFixture(t, nil)
	token := f.mint(t, "u1").RefreshToken
	var (
		mu         sync.Mutex
		wg         sync.WaitGroup
		successors = map[string]int{}
	)
	for range 64 {
		wg.Go(func() {
			g := f.refresh(t, token)
			mu.Lock()
			defer mu.Unlock()
			successors[g.RefreshToken]++
		})
	}
	wg.Wait()
	if len(successors) != 1 || f.seen.refreshed["advanced"] != 1 || f.seen.refreshed["repeated"] != 63 {
		t.Errorf("%d successors; %v", len(successors), f.seen.refreshed)
	}
}

// R01, R05: a token of an earlier generation is a copy; the session ends, for the thief and the
// victim.
func TestReuseEndsTheSession(t *testing.T) {
	f := newFixture(t, nil)
	first := f.mint(t, "u1")
	other := f.mint(t, "u1")
	f.clock.advance(time.Hour)
	second := f.refresh(t, first.RefreshToken)
	f.clock.advance(time.Hour)
	third := f.refresh(t, second.RefreshToken)
	f.clock.advance(window)
	if _, err := f.svc.Validate(t.Context(), first.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenReused) {
		t.Errorf("validating says %v", err)
	}
	f.wantEnd(t, first.View.ID, "") // validating changes nothing
	if _, err := f.svc.Refresh(t.Context(), first.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenReused) {
		t.Errorf("reuse: %v", err)
	}
	f.wantEnd(t, first.View.ID, session.ReasonRefreshReuse)
	f.wantDead(t, first.RefreshToken, second.RefreshToken, third.RefreshToken)
	if _, err := f.svc.Authenticate(t.Context(), third.AccessToken); !errors.Is(err, session.ErrRevoked) && !errors.Is(err, jwt.ErrExpired) {
		t.Errorf("the access token: %v", err)
	}
	f.refresh(t, other.RefreshToken)
	if f.ended(t)[session.ReasonRefreshReuse] != 1 {
		t.Errorf("reported: %v", f.ended(t))
	}
	entries := f.revoked(t)
	if len(entries) != 1 || entries[0].SID != first.View.ID || entries[0].Reason != "refresh_reuse" {
		t.Errorf("the revocations: %+v", entries)
	}
}

// R03: a lost reply does not end the session, however late the client tries again.
func TestLostReply(t *testing.T) {
	for _, late := range []time.Duration{0, time.Second, window, time.Hour, 6 * 24 * time.Hour} {
		f := newFixture(t, nil)
		g := f.mint(t, "u1")
		lost := f.refresh(t, g.RefreshToken)
		idleEnd := f.view(t, g.View.ID).IdleExpiresAt
		f.clock.advance(late)
		again := f.refresh(t, g.RefreshToken)
		if same := again.RefreshToken == lost.RefreshToken; same != (late < window) {
			t.Errorf("after %v: the same successor is %v", late, same)
		}
		if !f.view(t, g.View.ID).IdleExpiresAt.Equal(idleEnd) {
			t.Errorf("after %v: a retry has moved the idle end", late)
		}
		f.reopen(t)
		f.clock.advance(time.Minute)
		f.refresh(t, again.RefreshToken)
	}
}

func TestLateRetryRevoke(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.Refresh.LateRetry = refresh.LateRetryRevoke })
	g := f.mint(t, "u1")
	f.refresh(t, g.RefreshToken)
	f.refresh(t, g.RefreshToken)
	f.clock.advance(window)
	if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenReused) {
		t.Errorf("late: %v", err)
	}
}

func TestUpdateAgeWritesNothing(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.Refresh.UpdateAge = 24 * time.Hour })
	g := f.mint(t, "u1")
	for range 23 {
		f.clock.advance(time.Hour)
		next := f.refresh(t, g.RefreshToken)
		if next.RefreshToken != g.RefreshToken || !f.view(t, g.View.ID).LastSeenAt.Equal(g.View.CreatedAt) {
			t.Fatal("rotated or written within update_age")
		}
		f.holder(t, next)
	}
	f.clock.advance(time.Hour)
	if next := f.refresh(t, g.RefreshToken); next.RefreshToken == g.RefreshToken || !next.View.LastSeenAt.Equal(f.clock.now()) {
		t.Error("not rotated after update_age")
	}
}

// R06: clients go on after an older backup was restored.
func TestBackupRestored(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	g, other := f.mint(t, "u1"), f.mint(t, "u3")
	var backup bytes.Buffer
	if err := f.store.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.clock.advance(time.Hour)
		g, other = f.refresh(t, g.RefreshToken), f.refresh(t, other.RefreshToken)
	}
	unknown := f.mint(t, "u2")
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path, backup.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f.open(t)
	f.clock.advance(time.Hour)
	next := f.refresh(t, g.RefreshToken)
	if next.Outcome != refresh.Restored {
		t.Errorf("outcome %s", next.Outcome)
	}
	f.refresh(t, next.RefreshToken)
	f.refresh(t, other.RefreshToken)
	const said = `msg="refresh token is newer than the store: was a backup restored?"`
	if strings.Count(log.String(), "level=WARN "+said) != 1 || strings.Count(log.String(), "level=INFO "+said) != 1 {
		t.Errorf("want one warning, and the second session at info:\n%s", log.String())
	}
	if _, err := f.svc.Refresh(t.Context(), unknown.RefreshToken, session.Device{}); !errors.Is(err, session.ErrRefreshTokenInvalid) {
		t.Errorf("a session that began after the backup: %v", err)
	}
}

// R16: what is refreshed while all of a user's sessions are revoked is revoked too.
func TestRevokeAllAgainstManyRefreshes(t *testing.T) {
	f := newFixture(t, nil)
	n := rounds.Rounds(t, 200, 1000)
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = f.mint(t, "u1").RefreshToken
	}
	var (
		wg    sync.WaitGroup
		start = make(chan struct{})
		came  = make([]string, n)
	)
	for i := range tokens {
		wg.Go(func() {
			<-start
			g, err := f.svc.Refresh(t.Context(), tokens[i], session.Device{})
			if err != nil && !errors.Is(err, session.ErrRevoked) {
				t.Error(err)
			}
			came[i] = g.RefreshToken
		})
	}
	wg.Go(func() {
		<-start
		if got, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}}); err != nil || got != n {
			t.Errorf("revoked %d: %v", got, err)
		}
	})
	close(start)
	wg.Wait()
	f.wantDead(t, tokens...)
	for _, token := range came {
		if token != "" {
			f.wantDead(t, token)
		}
	}
}

// T22: a clock that steps back issues no token that is older than the session's last one.
func TestClockStepsBack(t *testing.T) {
	f := newFixture(t, nil)
	g := f.mint(t, "u1")
	f.clock.advance(time.Hour)
	g = f.refresh(t, g.RefreshToken)
	last := f.holder(t, g).Claims.IssuedAt
	f.clock.advance(-time.Hour)
	for range 3 {
		g = f.refresh(t, g.RefreshToken)
		f.clock.advance(time.Hour) // so that the token is not from the future
		if at := f.holder(t, g).Claims.IssuedAt; at.Before(last) {
			t.Errorf("issued at %v, after %v", at, last)
		}
		f.clock.advance(-time.Hour)
	}
}

func TestBinding(t *testing.T) {
	const (
		firefox120 = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
		firefox133 = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
		chrome     = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	)
	from := func(ip, agent string) session.Device {
		c := session.Device{UserAgent: agent}
		if ip != "" {
			c.IP = netip.MustParseAddr(ip)
		}
		return c
	}
	tests := []struct {
		name       string
		born, used session.Device
		ip, agent  bool // whether it differs
	}{
		{"same", from("192.0.2.1", chrome), from("192.0.2.1", chrome), false, false},
		{"same /24", from("192.0.2.1", ""), from("192.0.2.254", ""), false, false},
		{"same /24, mapped", from("192.0.2.1", ""), from("::ffff:192.0.2.9", ""), false, false},
		{"other /24", from("192.0.2.1", ""), from("192.0.3.1", ""), true, false},
		{"same /56", from("2001:db8:0:aa00::1", ""), from("2001:db8:0:aaff:1::", ""), false, false},
		{"other /56", from("2001:db8:0:aa00::1", ""), from("2001:db8:0:ab00::1", ""), true, false},
		{"other family of addresses", from("192.0.2.1", ""), from("2001:db8::1", ""), true, false},
		{"unknown at sign-in", from("", ""), from("192.0.2.1", chrome), false, false},
		{"unknown now", from("192.0.2.1", chrome), from("", ""), false, false},
		{"newer browser", from("", firefox120), from("", firefox133), false, false},
		{"other browser", from("", firefox120), from("", chrome), false, true},
	}
	modes := map[session.BindingMode]error{
		session.BindingOff: nil, session.BindingLog: nil,
		session.BindingStepUp: session.ErrNotFresh, session.BindingEnforce: session.ErrBindingMismatch,
	}
	for mode, refusal := range modes {
		for _, by := range []string{"ip", "user agent"} {
			f := newFixture(t, func(c *session.Config) {
				if by == "ip" {
					c.Binding.IP = mode
				} else {
					c.Binding.UserAgent = mode
				}
			})
			for _, tt := range tests {
				t.Run(string(mode)+"/"+by+"/"+tt.name, func(t *testing.T) {
					var want error
					if by == "ip" && tt.ip || by == "user agent" && tt.agent {
						want = refusal
					}
					f.bindOnce(t, tt.born, tt.used, want)
				})
			}
		}
	}
}

// A user who travels is logged once in each network, not at each refresh, and never as a
// warning: a warning means that the session was ended.
func TestMovesAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *session.Config) {
		c.Binding.IP = session.BindingLog
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	born := session.Device{IP: netip.MustParseAddr("192.0.2.1")}
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, From: born})
	if err != nil {
		t.Fatal(err)
	}
	for _, ip := range []string{"192.0.2.9", "198.51.100.1", "198.51.100.1", "198.51.100.77", "203.0.113.1", "203.0.113.1", "192.0.2.1", "192.0.2.1", "203.0.113.1"} {
		f.clock.advance(time.Hour)
		if g, err = f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{IP: netip.MustParseAddr(ip)}); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Count(log.String(), `level=INFO msg="session used from elsewhere" sid=`+g.View.ID.String()+" refused=false ended=false network=true browser=false")
	if lines != 3 || strings.Contains(log.String(), "WARN") {
		t.Errorf("want three lines, one for each stay elsewhere:\n%s", log.String())
	}
	// A touch logs the network as well.
	log.Reset()
	for range 2 {
		f.clock.advance(24 * time.Hour)
		if _, err := f.svc.Touch(t.Context(), g.RefreshToken, session.Device{IP: netip.MustParseAddr("198.51.100.1")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{IP: netip.MustParseAddr("198.51.100.1")}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "session used from elsewhere") != 1 {
		t.Errorf("a reading in another network, then a refresh:\n%s", log.String())
	}
}

func TestEndedForMovingIsAWarning(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *session.Config) {
		c.Binding = session.BindingPolicy{IP: session.BindingLog, UserAgent: session.BindingEnforce}
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, From: session.Device{UserAgent: "curl/8.0"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = f.svc.Refresh(t.Context(), g.RefreshToken, session.Device{UserAgent: "Wget/1.21"})
		if err == nil {
			t.Fatal("accepted")
		}
	}
	if want := `level=WARN msg="session used from elsewhere" sid=` + g.View.ID.String() + " refused=true ended=true network=false browser=true"; strings.Count(log.String(), want) != 1 {
		t.Errorf("want %s once:\n%s", want, log.String())
	}
}

func (f *fixture) bindOnce(t *testing.T, born, used session.Device, want error) {
	g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, From: born})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.svc.Refresh(t.Context(), g.RefreshToken, used)
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	switch {
	case errors.Is(want, session.ErrBindingMismatch):
		f.wantEnd(t, g.View.ID, session.ReasonBindingMismatch)
		f.wantDead(t, g.RefreshToken)
	case errors.Is(want, session.ErrNotFresh):
		if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, born); err != nil {
			t.Errorf("from where it began: %v", err)
		}
		if _, err := f.svc.Reauthenticate(t.Context(), g.View.ID, session.ReauthRequest{From: used}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.svc.Refresh(t.Context(), g.RefreshToken, used); err != nil {
			t.Errorf("after the user has authenticated there: %v", err)
		}
	}
}
