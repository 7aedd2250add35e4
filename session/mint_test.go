package session_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
)

func TestMintRefuses(t *testing.T) {
	f := newFixture(t, nil)
	long := func(n int) string { return strings.Repeat("x", n) }
	user := func(id string) session.MintRequest { return session.MintRequest{User: session.User{ID: id}} }
	with := func(change func(*session.MintRequest)) session.MintRequest {
		req := user("u1")
		change(&req)
		return req
	}
	tests := []struct {
		name  string
		req   session.MintRequest
		field string // "" is accepted
	}{
		{"user id of 1 byte", user("u"), ""},
		{"user id of 255 bytes", user(long(255)), ""},
		{"user id that looks like a path", user("../../etc/passwd"), ""},
		{"empty user id", user(""), "user.id"},
		{"user id of 256 bytes", user(long(256)), "user.id"},
		{"user id with NUL", user("a\x00b"), "user.id"},
		{"user id with newline", user("a\nb"), "user.id"},
		{"user id with a right-to-left override", user("a\u202eb"), "user.id"},
		{"user id of invalid UTF-8", user("a\xffb"), "user.id"},
		{"email too long", with(func(r *session.MintRequest) { r.User.Email = long(321) }), "user.email"},
		{"name with control characters", with(func(r *session.MintRequest) { r.User.Name = "a\x1b[31m" }), "user.name"},
		{"image too long", with(func(r *session.MintRequest) { r.User.Image = long(2049) }), "user.image"},
		{"label too long", with(func(r *session.MintRequest) { r.Label = long(129) }), "label"},
		{"no audience at all", with(func(r *session.MintRequest) { r.Audience = []string{} }), "audience"},
		{"empty audience", with(func(r *session.MintRequest) { r.Audience = []string{""} }), "audience"},
		{"17 audiences", with(func(r *session.MintRequest) { r.Audience = strings.Split(long(17), "") }), "audience"},
		{"scope", with(func(r *session.MintRequest) { r.Scope = "read write:orders https://x.example/!#[]~" }), ""},
		{"the longest scope", with(func(r *session.MintRequest) { r.Scope = long(1024) }), ""},
		{"scope too long", with(func(r *session.MintRequest) { r.Scope = long(1025) }), "scope"},
		{"scope with two spaces", with(func(r *session.MintRequest) { r.Scope = "read  write" }), "scope"},
		{"scope that begins with a space", with(func(r *session.MintRequest) { r.Scope = " read" }), "scope"},
		{"scope that ends with a space", with(func(r *session.MintRequest) { r.Scope = "read " }), "scope"},
		{"scope with a tab", with(func(r *session.MintRequest) { r.Scope = "read\twrite" }), "scope"},
		{"scope with a quote", with(func(r *session.MintRequest) { r.Scope = `a"b` }), "scope"},
		{"scope with a backslash", with(func(r *session.MintRequest) { r.Scope = `a\b` }), "scope"},
		{"scope beyond ASCII", with(func(r *session.MintRequest) { r.Scope = "lesen-ä" }), "scope"},
		{"scope of invalid UTF-8", with(func(r *session.MintRequest) { r.Scope = "a\xff" }), "scope"},
		{"scope among the claims", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`{"scope":"root"}`) }), "claims"},
		{"amr too long", with(func(r *session.MintRequest) { r.AMR = []string{long(65)} }), "amr"},
		{"claims", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`{"role":"admin","deep":{"a":[1]}}`) }), ""},
		{"claims that set sub", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`{"sub":"root"}`) }), "claims"},
		{"claims that set EXP", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`{"EXP":1}`) }), "claims"},
		{"claims twice", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`{"a":1,"a":2}`) }), "claims"},
		{"claims that are a list", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`[]`) }), "claims"},
		{"claims that are null", with(func(r *session.MintRequest) { r.Claims = json.RawMessage(`null`) }), "claims"},
		{"more than a token holds", with(func(r *session.MintRequest) {
			r.Claims = json.RawMessage(`{"a":"` + long(3900) + `"}`)
			r.Audience = []string{long(255), "a" + long(254), "b" + long(254), "c" + long(254)}
		}), "claims"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, err := f.svc.Mint(t.Context(), tt.req)
			if tt.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.svc.Introspect(t.Context(), g.AccessToken); err != nil {
					t.Error(err)
				}
				return
			}
			var fault *session.FieldError
			if !errors.As(err, &fault) || fault.Field != tt.field || !errors.Is(err, session.ErrInvalid) {
				t.Errorf("got %v, want a fault of %s", err, tt.field)
			}
		})
	}
}

// The largest session that is accepted makes a token that a strict verifier accepts.
func TestLargestTokenIsAccepted(t *testing.T) {
	f := newFixture(t, nil)
	filler := 4600
	for ; ; filler-- {
		req := session.MintRequest{User: session.User{ID: "u1"}, ClientID: strings.Repeat("c", 64)}
		req.Audience = []string{testIssuer, strings.Repeat("a", 255), strings.Repeat("b", 255)}
		req.Claims = json.RawMessage(`{"a":"` + strings.Repeat("x", filler) + `"}`)
		g, err := f.svc.Mint(t.Context(), req)
		if errors.Is(err, session.ErrInvalid) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.svc.Authenticate(t.Context(), g.AccessToken); err != nil {
			t.Errorf("a token of %d bytes: %v", len(g.AccessToken), err)
		}
		return
	}
}

func TestMintKeepsWhatItWasGiven(t *testing.T) {
	f := newFixture(t, nil)
	req := session.MintRequest{
		User:     session.User{ID: "u1", Email: "a@b.example", Name: "Ada", Image: "https://b.example/a.png"},
		ClientID: "app", Claims: json.RawMessage(`{ "role": "admin" }`), Audience: []string{testIssuer, "api"},
		AMR: []string{"pwd", "otp"}, ACR: "aal2", Label: "Ada's phone",
		From: session.Device{IP: netip.MustParseAddr("::ffff:203.0.113.9"), UserAgent: "Mozilla/5.0\x1b[31m (X11)"},
	}
	g, err := f.svc.Mint(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	f.reopen(t)
	v, err := f.svc.Get(t.Context(), g.View.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.User != req.User || v.Label != req.Label || v.ACR != req.ACR || v.IP.String() != "203.0.113.9" ||
		v.UserAgent != "Mozilla/5.0[31m (X11)" || v.ClientID != "app" {
		t.Errorf("kept: %+v", v)
	}
	h := f.holder(t, g)
	if string(h.Claims.Extra["role"]) != `"admin"` || len(h.Claims.AMR) != 2 || h.Claims.ACR != "aal2" ||
		h.Claims.ClientID != "app" || h.Claims.SessionID != g.View.ID.String() || len(h.Claims.Audience) != 2 {
		t.Errorf("in the token: %+v", h.Claims)
	}
}

// However many sign-ins of a user run at once, the limit holds (R17).
func TestLimitHoldsUnderParallelSignIns(t *testing.T) {
	for _, policy := range []session.LimitPolicy{session.LimitEvictOldest, session.LimitEvictIdle, session.LimitRefuse} {
		t.Run(string(policy), func(t *testing.T) {
			f := newFixture(t, func(c *session.Config) { c.MaxPerUser, c.OnLimit = 3, policy })
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					_, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}})
					if err != nil && (policy != session.LimitRefuse || !errors.Is(err, session.ErrLimit)) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			live, err := f.svc.List(t.Context(), "u1")
			if err != nil || len(live) != 3 {
				t.Errorf("%d sessions are live: %v", len(live), err)
			}
		})
	}
}

func TestLimitEvicts(t *testing.T) {
	tests := []struct {
		policy session.LimitPolicy
		want   int // which of the three goes
	}{{session.LimitEvictOldest, 0}, {session.LimitEvictIdle, 1}}
	for _, tt := range tests {
		t.Run(string(tt.policy), func(t *testing.T) {
			f := newFixture(t, func(c *session.Config) { c.MaxPerUser, c.OnLimit = 3, tt.policy })
			var grants []session.Grant
			for range 3 {
				f.clock.advance(time.Minute)
				grants = append(grants, f.mint(t, "u1"))
			}
			f.mint(t, "another user")
			f.clock.advance(time.Minute)
			f.refresh(t, grants[0].RefreshToken) // the oldest is in use
			f.clock.advance(time.Minute)
			f.refresh(t, grants[2].RefreshToken)
			f.mint(t, "u1")

			for i, g := range grants {
				v, err := f.svc.Get(t.Context(), g.View.ID)
				if err != nil {
					t.Fatal(err)
				}
				if evicted := v.End.Reason == session.ReasonLimit; evicted != (i == tt.want) {
					t.Errorf("session %d: ended %+v", i, v.End)
				}
			}
			if f.ended(t)[session.ReasonLimit] != 1 {
				t.Errorf("reported: %v", f.ended(t))
			}
		})
	}
}

// A sign-in that names the session it replaces ends that one, and no other for the limit.
func TestReplaces(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.MaxPerUser = 2 })
	phone, browser, stranger := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
	again := func(replaces sid.ID) session.Grant {
		t.Helper()
		g, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app", Replaces: replaces})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for range 5 {
		before := browser
		browser = again(before.View.ID)
		f.wantEnd(t, before.View.ID, session.ReasonReplaced)
		f.wantDead(t, before.RefreshToken)
		f.holder(t, phone)
	}
	again(stranger.View.ID)
	f.holder(t, stranger)
	f.wantEnd(t, phone.View.ID, session.ReasonLimit)
}

// Sessions that have ended do not count against the limit, also before they are swept.
func TestLimitCountsLiveSessionsOnly(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.MaxPerUser, c.OnLimit = 2, session.LimitRefuse })
	for range 5 {
		f.mint(t, "u1")
		f.mint(t, "u1")
		if _, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}}); !errors.Is(err, session.ErrLimit) {
			t.Fatalf("a third: %v", err)
		}
		f.clock.advance(f.config.IdleTimeout)
	}
}

// A session counts however many newer ones have ended that no sweep has looked at yet.
func TestLimitCountsBehindEndedSessions(t *testing.T) {
	f := newFixture(t, nil)
	used := f.mint(t, "u1")
	for range 80 {
		f.mint(t, "u1")
	}
	f.clock.advance(f.config.IdleTimeout - time.Minute)
	f.refresh(t, used.RefreshToken)
	f.clock.advance(time.Minute)
	f.config.MaxPerUser, f.config.OnLimit = 1, session.LimitRefuse
	f.reopen(t)
	_, err := f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app"})
	if !errors.Is(err, session.ErrLimit) {
		t.Errorf("a second session: %v, want %v", err, session.ErrLimit)
	}
}

func TestSignInRightAfterRevokeAllWorks(t *testing.T) {
	f := newFixture(t, nil) // the clock does not move: all of this is one millisecond
	for i := range 20 {
		before := f.mint(t, "u1")
		n, err := f.svc.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: "u1", Cause: session.Cause{Reason: session.ReasonServiceRevoked}})
		if want := min(i+1, 2); err != nil || n != want {
			t.Fatalf("revoked %d: %v", n, err)
		}
		after := f.mint(t, "u1")
		f.wantDead(t, before.RefreshToken)
		f.refresh(t, after.RefreshToken)
		f.holder(t, after)
		if i%5 == 0 {
			f.reopen(t)
		}
		if i%3 == 0 {
			f.sweep(t)
		}
	}
}

func ExampleReason() {
	fmt.Println(session.ReasonRefreshReuse)
	// Output: refresh_reuse
}

// What claims cost is measured as it stands in the token: none of these characters is escaped there.
func TestClaimsAreMeasuredAsTheyAreSent(t *testing.T) {
	f := newFixture(t, nil)
	for _, text := range []string{strings.Repeat("<", 3500), strings.Repeat(">", 3500), strings.Repeat("&", 3500), strings.Repeat("\u2028", 1100)} {
		g, err := f.svc.Mint(t.Context(), session.MintRequest{
			User: session.User{ID: "u1"}, ClientID: "app", Claims: []byte(`{"a":"` + text + `"}`),
		})
		if err != nil {
			t.Errorf("claims of %d times %.3q: %v", len(text), text, err)
			continue
		}
		if h := f.holder(t, g); string(h.Claims.Extra["a"]) != `"`+text+`"` {
			t.Errorf("claims of %.3q came back as %.20q", text, h.Claims.Extra["a"])
		}
	}
	// As encoders send them: what an escape stands for counts, not the escape.
	for sent, want := range map[string]string{
		strings.Repeat(`\u003c`, 3500):       `"` + strings.Repeat("<", 3500) + `"`,
		strings.Repeat(`\u00E9`, 1900):       `"` + strings.Repeat("é", 1900) + `"`,
		strings.Repeat(`\ud83d\uDE00`, 900):  `"` + strings.Repeat("😀", 900) + `"`,
		strings.Repeat(`\/`, 3500):           `"` + strings.Repeat("/", 3500) + `"`,
		`\\u003c\u005cu003c\u0022\"\n\u0000`: `"\\u003c\u005cu003c\u0022\"\n\u0000"`,
	} {
		g, err := f.svc.Mint(t.Context(), session.MintRequest{
			User: session.User{ID: "u1"}, ClientID: "app", Claims: []byte(`{ "a" : "` + sent + `" }`),
		})
		if err != nil {
			t.Errorf("claims of %.20q: %v", sent, err)
			continue
		}
		if h := f.holder(t, g); string(h.Claims.Extra["a"]) != want {
			t.Errorf("claims of %.20q came back as %.40q", sent, h.Claims.Extra["a"])
		}
	}
	for _, half := range []string{`\ud83d`, `\ude00\ud83d`, `\ud83dx`, `\ud83d\n`} {
		if _, err := f.svc.Mint(t.Context(), session.MintRequest{
			User: session.User{ID: "u1"}, ClientID: "app", Claims: []byte(`{"a":"` + half + `"}`),
		}); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("claims with %s: %v", half, err)
		}
	}
	_, err := f.svc.Mint(t.Context(), session.MintRequest{
		User: session.User{ID: "u1"}, ClientID: "app", Claims: []byte(`{"a":"` + strings.Repeat("<", 4700) + `"}`),
	})
	if !errors.Is(err, session.ErrInvalid) {
		t.Errorf("claims of 4,700 bytes: %v", err)
	}
}
