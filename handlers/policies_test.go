package handlers_test

import (
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/session"
)

// TestFreshness: a route that needs a fresh authentication challenges for it (RFC 9470), and accepts the
// user after a reauthentication.
func TestFreshness(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.sessions.RevokeAllRequiresFresh = true })
	s := f.mint(t, "u1")
	f.advance(t, 11*time.Minute)
	access := f.refresh(t, s.refresh).want(t, 200, "").text(t, "access_token")
	a := f.call(t, "POST", "/v1/sessions/revoke-all", nil, bearer(access)).want(t, 401, "not_fresh")
	challenge := a.Header.Get("WWW-Authenticate")
	if !strings.HasPrefix(challenge, `Bearer error="insufficient_user_authentication"`) || !strings.HasSuffix(challenge, ", max_age=600") {
		t.Errorf("WWW-Authenticate: %s", challenge)
	}
	path := "/v1/sessions/" + s.id + "/reauthenticate"
	a = f.call(t, "POST", path, `{"amr":["otp"],"acr":"2"}`, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	if a.text(t, "session.id") != s.id || a.text(t, "session.auth_time") == a.text(t, "session.created_at") {
		t.Errorf("reauthenticated: %s", a.body)
	}
	if got := f.introspect(t, a.text(t, "access_token")); got.text(t, "acr") != "2" {
		t.Errorf("token: %s", got.body)
	}
	f.call(t, "POST", path, nil, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	got := f.call(t, "POST", path+"?transport=cookie", nil, bearer(serviceKey(client.ScopeMint))).want(t, 200, "")
	if _, ok := got.cookie(accessCookie); !ok || got.at(t, "access_token") != nil {
		t.Errorf("by cookie: %s %v", got.body, got.Header["Set-Cookie"])
	}
	f.call(t, "POST", path, `{"refresh_token":"x"}`, bearer(serviceKey(client.ScopeMint))).want(t, 400, "invalid_request")

	a = f.call(t, "POST", "/v1/sessions/revoke-all", nil, bearer(access)).want(t, 200, "")
	if a.at(t, "revoked") != 1.0 || !cleared(a) {
		t.Errorf("revoke-all: %s %v", a.body, a.Header["Set-Cookie"])
	}
	f.call(t, "POST", path, nil, bearer(serviceKey(client.ScopeMint))).want(t, 404, "not_found")
}

func TestSessionLimit(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.sessions.MaxPerUser, s.sessions.OnLimit = 1, session.LimitRefuse })
	s := f.mint(t, "u1")
	key := bearer(serviceKey(client.ScopeMint))
	f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"}}`, key).want(t, 409, "session_limit")
	f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
	f.mint(t, "u1")
}

// TestBinding: a session that is used from another network or browser is refused by the policy.
func TestBinding(t *testing.T) {
	for mode, code := range map[session.BindingMode]string{
		session.BindingStepUp: "not_fresh", session.BindingEnforce: "binding_mismatch",
	} {
		f := newFixture(t, func(s *settings) { s.sessions.Binding.IP = mode })
		a := f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"ip_address":"203.0.113.7"}`,
			bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
		refresh := a.text(t, "refresh_token")
		a = f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh), fromIssuerPage()).want(t, 401, code)
		if ended := mode == session.BindingEnforce; cleared(a) != ended {
			t.Errorf("%s: cookies cleared: %v", mode, a.Header["Set-Cookie"])
		}
		if strings.Contains(string(a.body), "127.0.0.1") || strings.Contains(string(a.body), "203.0.113.7") {
			t.Errorf("%s: an address is told: %s", mode, a.body)
		}
	}
}

// TestLists: a user sees their own sessions, newest first, and ends them.
func TestLists(t *testing.T) {
	f := newFixture(t, nil)
	var all []tokens
	for range 3 {
		all = append(all, f.mint(t, "u1"))
		f.advance(t, time.Second)
	}
	other := f.mint(t, "u2")
	list := func(by tokens) (ids []string, current string) {
		a := f.call(t, "GET", "/v1/sessions", nil, bearer(by.access)).want(t, 200, "")
		found, _ := a.at(t, "sessions").([]any)
		for _, v := range found {
			s, _ := v.(map[string]any)
			id, _ := s["id"].(string)
			ids = append(ids, id)
			if s["current"] == true {
				current += id
			}
		}
		return ids, current
	}
	ids, current := list(all[1])
	if strings.Join(ids, " ") != all[2].id+" "+all[1].id+" "+all[0].id || current != all[1].id {
		t.Errorf("list: %v, current %s", ids, current)
	}
	f.call(t, "DELETE", "/v1/sessions/"+other.id, nil, bearer(all[1].access)).want(t, 404, "not_found")
	f.call(t, "GET", "/v1/sessions/"+other.id, nil, bearer(all[1].access)).want(t, 404, "not_found")
	for range 2 {
		a := f.call(t, "DELETE", "/v1/sessions/"+all[0].id, nil, bearer(all[1].access)).want(t, 204, "")
		if len(a.Header["Set-Cookie"]) != 0 {
			t.Error("ending another session clears this one's cookies")
		}
	}
	if a := f.call(t, "POST", "/v1/sessions/revoke-others", nil, bearer(all[1].access)).want(t, 200, ""); a.at(t, "revoked") != 1.0 {
		t.Errorf("revoke-others: %s", a.body)
	}
	if ids, _ := list(all[1]); len(ids) != 1 || ids[0] != all[1].id {
		t.Errorf("after revoke-others: %v", ids)
	}
	a := f.call(t, "GET", "/v1/sessions/"+all[0].id, nil, bearer(all[1].access)).want(t, 200, "")
	if a.text(t, "session.end_reason") != "revoked_by_user" {
		t.Errorf("the ended one: %s", a.body)
	}
	if a := f.call(t, "DELETE", "/v1/sessions/"+all[1].id, nil, bearer(all[1].access)).want(t, 204, ""); !cleared(a) {
		t.Error("ending the own session leaves the cookies")
	}
	f.call(t, "GET", "/v1/session", nil, bearer(all[1].access)).want(t, 401, "session_revoked")
	f.call(t, "GET", "/v1/session", nil, bearer(other.access)).want(t, 200, "")
	// A holder may not ask for a user, not even for their own.
	f.call(t, "GET", "/v1/sessions?user_id=u2", nil, bearer(other.access)).want(t, 403, "forbidden")
	a = f.call(t, "GET", "/v1/sessions?user_id=nobody", nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
	if string(a.body) != `{"sessions":[]}` {
		t.Errorf("an unknown user: %s", a.body)
	}
}

// A backend says which session a sign-in replaces: that one ends, and no other for the limit.
func TestReplaces(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.sessions.MaxPerUser = 2 })
	key := bearer(serviceKey(client.ScopeMint))
	phone, browser := f.mint(t, "u1"), f.mint(t, "u1")
	mint := func(members string) answer {
		return f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"}`+members+`}`, key)
	}
	a := mint(`,"replaces":"`+browser.id+`"`).want(t, 201, "")
	if !f.alive(t, phone) || f.alive(t, browser) {
		t.Error("the wrong session has ended")
	}
	ended := f.call(t, "GET", "/v1/sessions/"+browser.id, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
	if reason := ended.text(t, "session.end_reason"); reason != "replaced" {
		t.Errorf("it ended for %q", reason)
	}
	for _, bad := range []string{`"x"`, `7`, `null`, `"` + a.text(t, "refresh_token") + `"`} {
		mint(`,"replaces":`+bad).want(t, 400, "invalid_request")
	}
	if !f.alive(t, phone) {
		t.Error("a refused sign-in has ended a session")
	}
}
