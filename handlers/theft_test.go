package handlers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

const (
	chromeAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
	curlAgent   = "curl/8.5.0"
)

func userAgent(text string) option { return header("User-Agent", text) }

// A thief in step polls with a stolen access token to learn when the victim refreshes. What he
// reads moves at the end of a minute only. Even if he knows the moment from elsewhere and redeems
// his copy within the window, the session ends by the third generation: 8 of 8 times.
func TestThiefInStep(t *testing.T) {
	f := newFixture(t, nil)
	for run := range 8 {
		f.advance(t, time.Minute)
		victim := f.mint(t, fmt.Sprintf("u%d", run))
		thief := victim
		noticed := false
		for generation := 0; generation < 3 && !noticed; generation++ {
			f.advance(t, 4*time.Minute)
			p := &poller{f: f, token: thief.access}
			p.poll(t, time.Duration(rand.Int64N(int64(50*time.Second))))
			victim.refresh = f.refresh(t, victim.refresh, userAgent(chromeAgent)).want(t, 200, "").text(t, "refresh_token")
			p.poll(t, time.Duration(rand.Int64N(int64(9*time.Second))))
			a := f.refresh(t, thief.refresh, userAgent(curlAgent))
			if noticed = a.StatusCode != 200; noticed {
				a.want(t, 401, "refresh_token_reused")
				f.refresh(t, victim.refresh).want(t, 401, "session_revoked")
				break
			}
			thief.access, thief.refresh = a.text(t, "access_token"), a.text(t, "refresh_token")
		}
		if !noticed {
			t.Errorf("run %d: the thief has redeemed in three generations", run)
		}
	}
}

// poller reads its session twice a second.
type poller struct {
	f     *fixture
	token string
	seen  string
}

// poll reads for that long. What it reads moves when a minute is over, and to a full minute. Before
// that the last use is the sign-in.
func (p *poller) poll(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= 500 * time.Millisecond {
		a := p.f.call(t, "GET", "/v1/session", nil, bearer(p.token)).want(t, 200, "")
		seen := a.text(t, "session.last_seen_at") + a.text(t, "session.idle_expires_at")
		if p.seen != "" && seen != p.seen && p.f.clock.now().Sub(p.f.clock.now().Truncate(time.Minute)) > 500*time.Millisecond {
			t.Errorf("at %v it moves from %s to %s", p.f.clock.now(), p.seen, seen)
		}
		p.seen = seen
		if full := strings.Replace(seen, a.text(t, "session.created_at"), "00:00:00Z", 1); strings.Count(full, ":00Z") != 2 {
			t.Errorf("not full minutes: %s", seen)
		}
		p.f.clock.add(500 * time.Millisecond)
	}
}

// Nothing that a copy of a token can read changes with a refresh of the other holder.
func TestRefreshIsNotSeen(t *testing.T) {
	f := newFixture(t, nil)
	for _, age := range []time.Duration{0, time.Minute, 4 * time.Minute, 8 * time.Minute, 30 * time.Hour} {
		s := f.mint(t, "u1")
		f.advance(t, age+20*time.Second)
		copied := f.refresh(t, s.refresh, userAgent(chromeAgent)).want(t, 200, "").text(t, "refresh_token")
		f.advance(t, age/2+2*time.Minute)
		access := f.call(t, "GET", "/api/auth/token", nil, cookie("better-auth.session_token", copied)).want(t, 200, "").text(t, "token")
		before := f.readings(t, s.id, access, copied)
		f.refresh(t, copied, userAgent(chromeAgent)).want(t, 200, "")
		for what, read := range f.readings(t, s.id, access, copied) {
			if read != before[what] {
				t.Errorf("after %v: %s changes from\n%s\nto\n%s", age, what, before[what], read)
			}
		}
		exact := f.call(t, "GET", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
		if got := exact.text(t, "session.last_seen_at"); got != f.clock.now().Format(time.RFC3339Nano) {
			t.Errorf("a service sees %s, want the refresh at %v", got, f.clock.now())
		}
	}
}

// readings is what a holder of both tokens reads.
func (f *fixture) readings(t *testing.T, id, access, refreshToken string) map[string]string {
	t.Helper()
	read := map[string]string{}
	for _, path := range []string{
		"/v1/session", "/v1/sessions", "/v1/sessions/" + id, "/api/auth/get-session", "/api/auth/list-sessions", "/account/sessions",
	} {
		read[path+" with the access token"] = string(f.call(t, "GET", path, nil, bearer(access)).want(t, 200, "").body)
	}
	for _, path := range []string{"/api/auth/get-session", "/api/auth/get-session?disableRefresh=true", "/api/auth/list-sessions", "/account/sessions"} {
		a := f.call(t, "GET", path, nil, cookie("better-auth.session_token", refreshToken)).want(t, 200, "")
		text := string(a.body)
		for _, c := range a.Cookies() {
			text += fmt.Sprintf("\n%s: Max-Age %d", c.Name, c.MaxAge)
		}
		read[path+" with the refresh token"] = text
	}
	return read
}

// A holder never sees a last use before the sign-in, however the steps lie.
func TestLastUseIsNotBeforeTheSignIn(t *testing.T) {
	f := newFixture(t, nil)
	f.clock.add(f.clock.now().Truncate(time.Minute).Add(34 * time.Second).Sub(f.clock.now()))
	s := f.mint(t, "u1")
	sees := func(when string, a answer) {
		t.Helper()
		if seen, began := a.text(t, "session.last_seen_at"), a.text(t, "session.created_at"); seen != began {
			t.Errorf("%s: last seen at %s, created at %s", when, seen, began)
		}
	}
	sees("at once", f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, ""))
	better := f.call(t, "GET", "/api/auth/get-session", nil, cookie("better-auth.session_token", s.refresh)).want(t, 200, "")
	if better.text(t, "session.updatedAt") != better.text(t, "session.createdAt") {
		t.Errorf("better-auth: updated before it was created: %s", better.body)
	}
	f.clock.add(5 * time.Second)
	a := f.refresh(t, s.refresh).want(t, 200, "")
	sees("refreshing", a)
	f.clock.add(2 * time.Minute)
	sees("when the step is over", f.call(t, "GET", "/v1/session", nil, bearer(a.text(t, "access_token"))).want(t, 200, ""))
}

// The idle end that a holder sees is not before the present, however short the timeout is.
func TestShortIdleTimeoutInSteps(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.sessions.IdleTimeout = 50 * time.Second })
	s := f.mint(t, "u1")
	for range 40 {
		f.clock.add(7 * time.Second)
		a := f.refresh(t, s.refresh).want(t, 200, "")
		s.access, s.refresh = a.text(t, "access_token"), a.text(t, "refresh_token")
		for what, a := range map[string]answer{"refreshing": a, "reading": f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")} {
			end, err := time.Parse(time.RFC3339Nano, a.text(t, "session.idle_expires_at"))
			if err != nil || !end.After(f.clock.now()) {
				t.Errorf("%s at %v: the idle end is %v (%v)", what, f.clock.now(), end, err)
			}
		}
	}
}

// The request line of a refresh has the sid and the outcome, of a refused one too; the warning of
// a reuse and the admin API say where both uses came from.
func TestTheftIsInTheLog(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	victim := []option{userAgent(chromeAgent), header("X-Forwarded-For", "192.0.2.1")}
	thief := []option{userAgent(curlAgent), header("X-Forwarded-For", "198.51.100.7")}
	s := f.mint(t, "u1")
	step := func(token string, status int, outcome string, from ...option) string {
		t.Helper()
		a := f.refresh(t, token, from...).want(t, status, "")
		if line := f.lastRequest(t); line["outcome"] != outcome || line["sid"] != s.id {
			t.Errorf("want the outcome %s of %s: %v", outcome, s.id, line)
		}
		return a.text(t, "refresh_token")
	}
	next := step(s.refresh, 200, "advanced", victim...)
	step(s.refresh, 200, "repeated", victim...)
	stray := step(s.refresh, 200, "elsewhere", thief...)
	step(next, 200, "advanced", victim...)
	advanced := f.clock.now()
	step(stray, 200, "apart", thief...)
	f.clock.add(time.Minute)
	step(stray, 401, "reused", thief...)
	step(next, 401, "refresh_reuse", victim...)

	warning := f.lastEntry(t, "refresh token reused: session ended")
	for name, want := range map[string]any{
		"sid": s.id, "sub": "u1", "level": "WARN", "ip": "198.51.100.7", "browser": "curl", "generation": 2.0,
		"last_ip": "192.0.2.1", "last_browser": "Chrome on Windows", "last_generation": 2.0, "last_at": advanced.Format(time.RFC3339Nano),
	} {
		if warning[name] != want {
			t.Errorf("the warning has %s %v, want %v", name, warning[name], want)
		}
	}
	a := f.callAdmin(t, "GET", "/admin/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	for path, want := range map[string]any{
		"session.end_reason": "refresh_reuse", "session.last_ip_address": "192.0.2.1", "session.last_user_agent": chromeAgent,
		"refresh.generation": 2.0, "refresh.redeemed_at": advanced.Format(time.RFC3339Nano), "refresh.ip_address": "192.0.2.1",
		"refresh.user_agent": chromeAgent, "refresh.reuse.generation": 2.0, "refresh.reuse.ip_address": "198.51.100.7",
		"refresh.reuse.user_agent": curlAgent,
	} {
		if got := a.at(t, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	// A token that was never issued has no session and no outcome.
	f.refresh(t, "rt_"+strings.Repeat("A", 64)).want(t, 401, "refresh_token_invalid")
	if line := f.lastRequest(t); line["outcome"] != nil || line["sid"] != nil {
		t.Errorf("a forged token: %v", line)
	}
}

// lastEntry returns the newest line of the log with that message.
func (f *fixture) lastEntry(t *testing.T, message string) (found map[string]any) {
	t.Helper()
	for line := range strings.Lines(f.log.String()) {
		var entry map[string]any
		must(t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == message {
			found = entry
		}
	}
	return found
}

// Where a session was last used from is in every list beside where it began.
func TestLastDevice(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	a := f.call(t, "POST", "/v1/sessions", map[string]any{
		"user": map[string]any{"id": "u1"}, "ip_address": "192.0.2.7", "user_agent": chromeAgent,
	}, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	wantDevices(t, a, "session", "192.0.2.7", chromeAgent, "192.0.2.7", chromeAgent)
	a = f.refresh(t, a.text(t, "refresh_token"), userAgent("okhttp/4.12.0"), header("X-Forwarded-For", "198.51.100.7")).want(t, 200, "")
	wantDevices(t, a, "session", "192.0.2.7", chromeAgent, "198.51.100.7", "okhttp/4.12.0")
	a = f.call(t, "GET", "/v1/session", nil, bearer(a.text(t, "access_token")))
	wantDevices(t, a, "session", "192.0.2.7", chromeAgent, "198.51.100.7", "okhttp/4.12.0")

	// A reading that moves the idle end is a use as well, and redeems nothing.
	s := f.mint(t, "u2")
	f.advance(t, 100*time.Hour)
	jar := cookie("better-auth.session_token", s.refresh)
	f.call(t, "GET", "/api/auth/get-session", nil, jar, userAgent(chromeAgent), header("X-Forwarded-For", "203.0.113.9")).want(t, 200, "")
	a = f.callAdmin(t, "GET", "/admin/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	if a.at(t, "session.last_ip_address") != "203.0.113.9" || a.at(t, "session.last_user_agent") != chromeAgent || a.at(t, "refresh.ip_address") != nil {
		t.Errorf("after a reading: %s", a.body)
	}
	list := f.call(t, "GET", "/api/auth/list-sessions", nil, jar).want(t, 200, "")
	var listed []map[string]any
	must(t, json.Unmarshal(list.body, &listed))
	if len(listed) != 1 || listed[0]["lastIpAddress"] != "203.0.113.9" || listed[0]["lastUserAgent"] != chromeAgent || listed[0]["ipAddress"] != nil {
		t.Errorf("the list of better-auth: %s", list.body)
	}
	page := string(f.call(t, "GET", "/account/sessions", nil, jar).want(t, http.StatusOK, "").body)
	if !strings.Contains(page, "203.0.113.9") || !strings.Contains(page, "Chrome on Windows") {
		t.Errorf("the account page:\n%s", page)
	}
}

func wantDevices(t *testing.T, a answer, at string, want ...string) {
	t.Helper()
	for i, name := range []string{"ip_address", "user_agent", "last_ip_address", "last_user_agent"} {
		if got := a.text(t, at+"."+name); got != want[i] {
			t.Errorf("%s is %q, want %q", name, got, want[i])
		}
	}
}
