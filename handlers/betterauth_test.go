package handlers_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/jwt"
	"issuer.example/session"
)

const cacheCookie = "better-auth.session_data"

// newBetterFixture makes a fixture with a cookie cache.
func newBetterFixture(t *testing.T, change func(*settings)) *fixture {
	t.Helper()
	return newFixture(t, func(s *settings) {
		s.http.Cookies.CacheMaxAge = 5 * time.Minute
		if change != nil {
			change(s)
		}
	})
}

// fromAppPage adds what a browser sends with a POST from a page of an allowed origin.
func fromAppPage() option { return header("Origin", appOrigin) }

// identity is the form of /get-session.
type identity struct {
	Session struct {
		ID, Token, UserID, ExpiresAt, CreatedAt, UpdatedAt string
		IPAddress, UserAgent                               *string
	}
	User         map[string]any
	NeedsRefresh *bool
}

func (a answer) identity(t *testing.T) identity {
	t.Helper()
	var v identity
	must(t, json.Unmarshal(a.body, &v))
	return v
}

func (a answer) null(t *testing.T) answer {
	t.Helper()
	if a.want(t, 200, ""); string(a.body) != "null" {
		t.Errorf("%s: %s, want null", a.Request.URL.Path, a.body)
	}
	return a
}

// clearsAll reports whether an answer clears every cookie of a session.
func clearsAll(a answer) bool {
	c, ok := a.cookie(cacheCookie)
	return cleared(a) && ok && c.MaxAge < 0
}

func TestGetSessionReadsAndNeverRotates(t *testing.T) {
	f := newBetterFixture(t, nil)
	a := f.call(t, "POST", "/v1/sessions?transport=cookie", map[string]any{
		"user":       map[string]any{"id": "u1", "email": "u@x.example", "name": "Ü"},
		"claims":     map[string]any{"role": "editor", "email_verified": true, "id": "another"},
		"ip_address": "192.0.2.7", "user_agent": "Firefox",
	}, bearer(serviceKey(client.ScopeMint)))
	token := setCookie(t, a, refreshCookie).Value
	born := f.clock.now()
	for range 3 {
		a = f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, token)).want(t, 200, "")
		if _, set := a.cookie(refreshCookie); set {
			t.Fatal("a GET has rotated")
		}
	}
	got := a.identity(t)
	const form = "2006-01-02T15:04:05.000Z07:00"
	if got.Session.ID == "" || got.Session.Token != got.Session.ID || got.Session.UserID != "u1" ||
		got.Session.CreatedAt != born.Format(form) || got.Session.ExpiresAt != born.Add(7*24*time.Hour).Format(form) ||
		*got.Session.IPAddress != "192.0.2.7" || *got.Session.UserAgent != "Firefox" || got.NeedsRefresh != nil {
		t.Errorf("session: %s", a.body)
	}
	for name, want := range map[string]any{
		"id": "u1", "email": "u@x.example", "name": "Ü", "image": nil, "emailVerified": true, "role": "editor",
		"createdAt": born.Format(form),
	} {
		if got.User[name] != want {
			t.Errorf("user.%s is %v, want %v", name, got.User[name], want)
		}
	}
	if strings.Contains(string(a.body), token) || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("answer: %v %s", a.Header, a.body)
	}
	f.call(t, "GET", "/v1/session", nil, bearer(a.Header.Get("Set-Auth-Jwt"))).want(t, 200, "")
}

// TestDatesHaveThreeDigits: the client misreads any other number of them.
func TestDatesHaveThreeDigits(t *testing.T) {
	f := newBetterFixture(t, nil)
	for _, nanos := range []int{0, 1_000_000, 120_000_000, 123_456_789} {
		f.clock.t = f.clock.t.Truncate(time.Second).Add(time.Second + time.Duration(nanos))
		s := f.mint(t, "u1")
		a := f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
		for _, date := range regexp.MustCompile(`"[0-9]{4}-[^"]*"`).FindAllString(string(a.body), -1) {
			if !regexp.MustCompile(`^"[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z"$`).MatchString(date) && !strings.HasPrefix(date, `"019`) {
				t.Errorf("date %s", date)
			}
		}
	}
}

func TestSignedOutIsNull(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/session", nil, bearer(s.refresh)).want(t, 204, "")
	for _, method := range []string{"GET", "POST"} {
		if a := f.call(t, method, "/api/auth/get-session", nil).null(t); len(a.Header["Set-Cookie"]) != 0 {
			t.Errorf("%s sets %v", method, a.Header["Set-Cookie"])
		}
		for _, dead := range []string{s.refresh, "rt_" + strings.Repeat("A", 64), "x"} {
			if a := f.call(t, method, "/api/auth/get-session", nil, cookie(refreshCookie, dead), fromAppPage()).null(t); !clearsAll(a) {
				t.Errorf("%s with a dead cookie sets %v", method, a.Header["Set-Cookie"])
			}
		}
		f.call(t, method, "/api/auth/get-session", nil, bearer(s.access)).null(t)
		f.call(t, method, "/api/auth/get-session", nil, header("Authorization", "Basic eDp5")).null(t)
	}
	for _, route := range []string{
		"GET list-sessions", "POST revoke-session", "POST revoke-sessions", "POST revoke-other-sessions",
		"GET revoke-all-sessions", "POST revoke-all-sessions", "GET token", "POST update-session",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, options := range [][]option{nil, {cookie(refreshCookie, s.refresh), fromAppPage()}, {bearer(s.refresh)}} {
			a := f.call(t, method, "/api/auth/"+path, nil, options...).want(t, 401, "UNAUTHORIZED")
			if a.text(t, "message") != "Unauthorized" {
				t.Errorf("%s: %s", route, a.body)
			}
		}
	}
}

func TestRenewal(t *testing.T) {
	f := newBetterFixture(t, nil)
	refresh, _ := f.mintCookies(t, "u1")
	read := func(token, query string) identity {
		return f.call(t, "GET", "/api/auth/get-session"+query, nil, cookie(refreshCookie, token)).want(t, 200, "").identity(t)
	}
	first := read(refresh.Value, "")
	f.advance(t, 5*time.Minute)
	if got := read(refresh.Value, ""); got.NeedsRefresh == nil || !*got.NeedsRefresh {
		t.Fatal("no renewal is due")
	}
	if got := read(refresh.Value, "?disableRefresh=true"); got.NeedsRefresh != nil {
		t.Error("a renewal is due for who has switched that off")
	}
	a := f.call(t, "POST", "/api/auth/get-session", "{}", cookie(refreshCookie, refresh.Value), fromAppPage()).want(t, 200, "")
	next := setCookie(t, a, refreshCookie)
	got := a.identity(t)
	if next.Value == refresh.Value || next.MaxAge != int((30*24*time.Hour-5*time.Minute).Seconds()) || got.NeedsRefresh != nil {
		t.Errorf("not renewed: %v %s", next, a.body)
	}
	if got.Session.ID != first.Session.ID || got.Session.CreatedAt != first.Session.CreatedAt || got.Session.ExpiresAt <= first.Session.ExpiresAt {
		t.Errorf("renewed: %+v\nbefore: %+v", got.Session, first.Session)
	}
	if got := read(next.Value, ""); got.NeedsRefresh != nil {
		t.Error("another renewal is due at once")
	}
	// A second tab with the old token gets the same successor, and one that is copied ends the session.
	a = f.call(t, "POST", "/api/auth/get-session", "{}", cookie(refreshCookie, refresh.Value), fromAppPage()).want(t, 200, "")
	if setCookie(t, a, refreshCookie).Value != next.Value {
		t.Error("two tabs got different successors")
	}
	f.advance(t, time.Hour)
	f.call(t, "POST", "/api/auth/get-session", "{}", cookie(refreshCookie, next.Value), fromAppPage()).want(t, 200, "")
	f.advance(t, time.Hour)
	a = f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh.Value)).null(t)
	if len(a.Header["Set-Cookie"]) != 0 {
		t.Error("a reading that came too late clears the cookie of the one that has won")
	}
	if a = f.call(t, "POST", "/api/auth/get-session", "{}", cookie(refreshCookie, refresh.Value), fromAppPage()).null(t); !clearsAll(a) {
		t.Error("the copied token's cookies stay")
	}
	f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, next.Value)).null(t)
}

// TestReadingKeepsASessionAlive: clients before 1.5 never POST.
func TestReadingKeepsASessionAlive(t *testing.T) {
	f := newBetterFixture(t, func(s *settings) { s.sessions.Refresh.UpdateAge = 24 * time.Hour })
	refresh, _ := f.mintCookies(t, "u1")
	for range 9 {
		f.advance(t, 3*24*time.Hour)
		f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh.Value)).identity(t)
	}
	if a := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh.Value)).want(t, 200, ""); string(a.body) == "null" {
		t.Error("a session in daily use has ended")
	}
	f.advance(t, 3*24*time.Hour)
	f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh.Value)).null(t)
	// disableRefresh does not.
	refresh, _ = f.mintCookies(t, "u1")
	f.advance(t, 6*24*time.Hour)
	f.call(t, "GET", "/api/auth/get-session?disableRefresh=true", nil, cookie(refreshCookie, refresh.Value)).want(t, 200, "")
	f.advance(t, 24*time.Hour)
	f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, refresh.Value)).null(t)
}

func TestListAndRevokeByBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	mine, also, third, foreign := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
	own := []option{cookie(refreshCookie, mine.refresh), fromAppPage()}
	var list []struct {
		ID, Token string
		Current   bool
	}
	a := f.call(t, "GET", "/api/auth/list-sessions", nil, own...).want(t, 200, "")
	must(t, json.Unmarshal(a.body, &list))
	if len(list) != 3 || list[2].ID != mine.id || list[2].Token != mine.id || !list[2].Current || list[0].Current {
		t.Errorf("list: %s", a.body)
	}
	alive := func(s tokens) bool {
		return f.call(t, "GET", "/v1/session", nil, bearer(s.access)).StatusCode == 200
	}
	for _, body := range []map[string]any{
		{"id": also.id}, {"token": also.id}, {"sessionId": third.id, "id": third.id, "plugin": 1}, {"id": foreign.id}, {"id": "nothing"}, {"token": mine.id[:35] + "x"},
	} {
		if a := f.call(t, "POST", "/api/auth/revoke-session", body, own...).want(t, 200, ""); string(a.body) != `{"status":true}` || len(a.Cookies()) != 0 {
			t.Errorf("%v: %s %v", body, a.body, a.Cookies())
		}
	}
	if alive(also) || alive(third) || !alive(foreign) || !alive(mine) {
		t.Error("the wrong sessions have ended")
	}
	for body, code := range map[string]string{
		``: "VALIDATION_ERROR", `{}`: "VALIDATION_ERROR", `{"id":1}`: "VALIDATION_ERROR", `[]`: "VALIDATION_ERROR", `null`: "VALIDATION_ERROR",
		`"x"`: "VALIDATION_ERROR", `{"id":"` + mine.id + `","token":"` + also.id + `"}`: "VALIDATION_ERROR",
		`{`: "BAD_REQUEST", `{"id":"a","id":"b"}`: "BAD_REQUEST", `{} x`: "BAD_REQUEST", strings.Repeat(`{"a":`, 20): "BAD_REQUEST",
	} {
		f.call(t, "POST", "/api/auth/revoke-session", body, own...).want(t, 400, code)
	}
	if a := f.call(t, "POST", "/api/auth/revoke-session", map[string]any{"id": mine.id}, own...).want(t, 200, ""); !clearsAll(a) || alive(mine) {
		t.Errorf("ending the own session sets %v", a.Cookies())
	}
}

func TestRevokeManyByBetterAuth(t *testing.T) {
	for _, tt := range []struct {
		route    string
		survives bool
	}{
		{"POST /api/auth/revoke-sessions", false},
		{"POST /api/auth/revoke-all-sessions", false},
		{"GET /api/auth/revoke-all-sessions", false},
		{"POST /api/auth/revoke-other-sessions", true},
	} {
		for _, byCookie := range []bool{true, false} {
			f := newBetterFixture(t, nil)
			mine, also, foreign := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
			method, path, _ := strings.Cut(tt.route, " ")
			options := []option{bearer(mine.access)}
			if byCookie {
				options = []option{cookie(refreshCookie, mine.refresh), fromAppPage()}
			}
			a := f.call(t, method, path, nil, options...).want(t, 200, "")
			if string(a.body) != `{"status":true}` || clearsAll(a) == tt.survives {
				t.Errorf("%s: %s, sets %v", tt.route, a.body, a.Header["Set-Cookie"])
			}
			for _, s := range []tokens{mine, also, foreign} {
				want := s.user == "u2" || tt.survives && s.id == mine.id
				if alive := f.call(t, "GET", "/v1/session", nil, bearer(s.access)).StatusCode == 200; alive != want {
					t.Errorf("%s: alive is %v, want %v", tt.route, alive, want)
				}
			}
		}
	}
}

func TestSignOutByBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	refresh, access := f.mintCookies(t, "u1")
	for range 2 {
		a := f.call(t, "POST", "/api/auth/sign-out", nil, fromAppPage(), cookie(refreshCookie, refresh.Value), cookie(cacheCookie+".0", "x"), cookie(cacheCookie+".1", "x")).want(t, 200, "")
		if string(a.body) != `{"success":true}` || !clearsAll(a) {
			t.Errorf("%s %v", a.body, a.Header["Set-Cookie"])
		}
		for _, chunk := range []string{".0", ".1"} {
			if c, ok := a.cookie(cacheCookie + chunk); !ok || c.MaxAge >= 0 {
				t.Errorf("chunk %s stays", chunk)
			}
		}
	}
	f.call(t, "GET", "/v1/session", nil, bearer(access.Value)).want(t, 401, "session_revoked")
	for _, options := range [][]option{nil, {bearer(access.Value)}, {bearer("junk")}, {fromAppPage(), cookie(refreshCookie, "junk")}} {
		f.call(t, "POST", "/api/auth/sign-out", "{}", options...).want(t, 200, "")
	}
	// Signing out by /v1 clears the cookie cache, too.
	refresh, _ = f.mintCookies(t, "u1")
	if a := f.call(t, "DELETE", "/v1/session", nil, fromIssuerPage(), cookie(refreshCookie, refresh.Value)).want(t, 204, ""); !clearsAll(a) {
		t.Errorf("the cookie cache stays: %v", a.Header["Set-Cookie"])
	}
}

func TestTokenAndKeys(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	f.advance(t, time.Hour)
	a := f.call(t, "GET", "/api/auth/token", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	fresh := a.text(t, "token")
	f.call(t, "GET", "/v1/session", nil, bearer(fresh)).want(t, 200, "")
	// An access token cannot extend its own life.
	if got := f.call(t, "GET", "/api/auth/token", nil, bearer(fresh)).want(t, 200, "").text(t, "token"); got != fresh {
		t.Error("an access token was exchanged for a younger one")
	}
	a = f.call(t, "GET", "/api/auth/jwks", nil).want(t, 200, "")
	published, err := jwt.ParseJWKS(a.body)
	must(t, err)
	if _, _, err := jwt.VerifySignature(fresh, published); err != nil {
		t.Error(err)
	}
	f.call(t, "GET", "/api/auth/jwks", nil, header("If-None-Match", a.Header.Get("ETag"))).want(t, 304, "")
	f.call(t, "GET", "/api/auth/ok", nil).want(t, 200, "")
	f.call(t, "POST", "/api/auth/update-session", `{"theme":"dark"}`, cookie(refreshCookie, s.refresh), fromAppPage()).want(t, 400, "NO_FIELDS_TO_UPDATE")
}

func TestFreshnessForBetterAuth(t *testing.T) {
	f := newBetterFixture(t, func(s *settings) {
		s.http.BetterAuth.ListRequiresFresh, s.sessions.RevokeAllRequiresFresh = true, true
		s.sessions.Binding = session.BindingPolicy{UserAgent: session.BindingStepUp}
	})
	s := f.mint(t, "u1")
	f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	f.advance(t, 10*time.Minute)
	f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(refreshCookie, s.refresh)).want(t, 403, "SESSION_NOT_FRESH")
	f.call(t, "POST", "/api/auth/revoke-sessions", nil, cookie(refreshCookie, s.refresh), fromAppPage()).want(t, 403, "SESSION_NOT_FRESH")
	f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	// From another browser the user must authenticate there: that is not the end of the session.
	a := f.call(t, "POST", "/v1/sessions?transport=cookie", map[string]any{"user": map[string]any{"id": "u1"}, "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}, bearer(serviceKey(client.ScopeMint)))
	a = f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, setCookie(t, a, refreshCookie).Value)).want(t, 403, "SESSION_NOT_FRESH")
	if len(a.Cookies()) != 0 {
		t.Errorf("cookies: %v", a.Cookies())
	}
}

// TestErrorsForBetterAuth: every refusal is JSON with code and message, whichever part refuses.
func TestErrorsForBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	own := []option{cookie(refreshCookie, s.refresh), fromAppPage()}
	for _, tt := range []struct {
		name string
		a    answer
		want int
		code string
	}{
		{"unknown path", f.call(t, "GET", "/api/auth/sign-in", nil), 404, "NOT_FOUND"},
		{"the base itself", f.call(t, "GET", "/api/auth", nil), 404, "NOT_FOUND"},
		{"a path below", f.call(t, "POST", "/api/auth/sign-out/x", nil), 404, "NOT_FOUND"},
		{"method", f.call(t, "PUT", "/api/auth/get-session", nil), 405, "METHOD_NOT_ALLOWED"},
		{"GET of a change", f.call(t, "GET", "/api/auth/sign-out", nil, own...), 405, "METHOD_NOT_ALLOWED"},
		{"too large", f.call(t, "POST", "/api/auth/revoke-session", strings.Repeat(" ", 70_000), own...), 413, "PAYLOAD_TOO_LARGE"},
		{"too large, in chunks", f.call(t, "POST", "/api/auth/revoke-session", strings.NewReader(strings.Repeat(" ", 70_000)), own...), 413, "PAYLOAD_TOO_LARGE"},
		{"encoded", f.call(t, "POST", "/api/auth/sign-out", "{}", append(own, header("Content-Encoding", "gzip"))...), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"other name", f.call(t, "GET", "/api/auth/ok", nil, func(r *http.Request) { r.Host = "evil.example" }), 421, "MISDIRECTED_REQUEST"},
		{"cookies", f.call(t, "GET", "/api/auth/ok", nil, header("Cookie", strings.Repeat("a=b; ", 3000)+"a=b")), 431, "REQUEST_HEADER_FIELDS_TOO_LARGE"},
		{"two credentials", f.call(t, "GET", "/api/auth/get-session", nil, bearer("x"), header("Authorization", "Bearer y")), 400, "BAD_REQUEST"},
		{"token in the query", f.call(t, "GET", "/api/auth/get-session?token=x", nil), 400, "BAD_REQUEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.want(t, tt.want, tt.code)
			if tt.a.text(t, "message") == "" || !strings.HasPrefix(tt.a.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%v %s", tt.a.Header, tt.a.body)
			}
		})
	}
	if allow := f.call(t, "GET", "/api/auth/sign-out", nil).Header.Get("Allow"); !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %q", allow)
	}
	a := exhaust(t, func() answer {
		return f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(refreshCookie, "rt_"+strings.Repeat("A", 64)))
	}).want(t, 429, "TOO_MANY_REQUESTS")
	if a.Header.Get("Retry-After") == "" || a.Header.Get("X-Retry-After") != a.Header.Get("Retry-After") {
		t.Errorf("429: %v", a.Header)
	}
}

// TestStoreDownForBetterAuth: a failure of the store is answered neither as signed out nor as success.
func TestStoreDownForBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	must(t, f.store.Close())
	for _, route := range []string{
		"GET get-session", "POST get-session", "GET list-sessions", "POST revoke-session", "POST revoke-sessions",
		"POST revoke-other-sessions", "GET revoke-all-sessions", "POST revoke-all-sessions", "POST sign-out", "GET token",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, options := range [][]option{{cookie(refreshCookie, s.refresh), fromAppPage()}, {bearer(s.access)}} {
			a := f.call(t, method, "/api/auth/"+path, `{"id":"`+s.id+`"}`, options...).want(t, 503, "SERVICE_UNAVAILABLE")
			if len(a.Header["Set-Cookie"]) != 0 {
				t.Errorf("%s sets %v", route, a.Header["Set-Cookie"])
			}
		}
	}
}

func TestBasePathOfBetterAuth(t *testing.T) {
	f := newBetterFixture(t, func(s *settings) { s.http.BetterAuth.BasePath = "/v2/login" })
	f.client.Transport = http.DefaultTransport // openapi.yaml describes the default
	f.call(t, "GET", "/v2/login/get-session", nil).null(t)
	f.call(t, "GET", "/v2/login/x", nil).want(t, 404, "NOT_FOUND")
	f.call(t, "GET", "/v2/loginx", nil).want(t, 404, "not_found")
	f.call(t, "GET", "/api/auth/get-session", nil).want(t, 404, "not_found")
}
