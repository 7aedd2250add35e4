package handlers_test

import (
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

// handoff mints a session for a page to claim.
func (f *fixture) handoff(t *testing.T, origin string) string {
	t.Helper()
	body := map[string]any{"user": map[string]any{"id": "u1"}, "handoff": true}
	if origin != "" {
		body["handoff_origin"] = origin
	}
	a := f.call(t, "POST", "/v1/sessions", body, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	if a.at(t, "access_token") != nil || a.at(t, "expires_in") != 60.0 || len(a.Cookies()) != 0 {
		t.Fatalf("mint: %s", a.body)
	}
	return a.text(t, "handoff_code")
}

func (f *fixture) claim(t *testing.T, code string, options ...option) answer {
	t.Helper()
	return f.call(t, "POST", "/v1/session/claim", map[string]string{"handoff_code": code}, options...)
}

func TestHandoff(t *testing.T) {
	f := newFixture(t, nil)
	code := f.handoff(t, appOrigin)
	a := f.claim(t, code, fromAppPage()).want(t, 200, "")
	if a.at(t, "refresh_token") != nil || a.text(t, "access_token") == "" || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("claim: %v %s", a.Header, a.body)
	}
	refresh := setCookie(t, a, refreshCookie)
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, setCookie(t, a, accessCookie).Value)).want(t, 200, "")
	f.advance(t, time.Hour)
	f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromAppPage()).want(t, 200, "")
	f.claim(t, code, fromAppPage()).want(t, 401, "handoff_code_invalid")
	// Two have used the code, so the session has ended.
	f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, refresh.Value), fromAppPage()).want(t, 401, "session_revoked")
	if log := f.log.String(); !strings.Contains(log, "hand-off code used a second time") || strings.Contains(log, code) {
		t.Error("the log does not warn of the code, or has it")
	}

	late := f.handoff(t, "")
	f.advance(t, time.Minute)
	f.claim(t, late, fromAppPage()).want(t, 401, "handoff_code_invalid")

	ended := f.handoff(t, "")
	f.call(t, "POST", "/v1/users/u1/revoke-sessions", nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 200, "")
	f.claim(t, ended, fromAppPage()).want(t, 401, "session_revoked")
}

// TestHandoffOrigins: only a page of the origin that the code is for gets cookies.
func TestHandoffOrigins(t *testing.T) {
	f := newFixture(t, nil)
	bound, ours := f.handoff(t, appOrigin), f.handoff(t, testIssuer)
	for _, options := range [][]option{
		nil,
		{fromIssuerPage()},
		{header("Origin", "null")},
		{header("Origin", "https://evil.example")},
		{fromAppPage(), header("Origin", appOrigin)},
		{header("Origin", appOrigin+".evil.example")},
		{header("Referer", appOrigin+"/")},
	} {
		if a := f.claim(t, bound, options...).want(t, 403, "forbidden"); len(a.Cookies()) != 0 {
			t.Errorf("cookies: %v", a.Cookies())
		}
	}
	f.claim(t, bound, header("Origin", testIssuer)).want(t, 401, "handoff_code_invalid")
	f.claim(t, ours, fromAppPage()).want(t, 401, "handoff_code_invalid")
	// None of these calls has used the codes up.
	f.claim(t, bound, fromAppPage()).want(t, 200, "")
	f.claim(t, ours, header("Origin", testIssuer)).want(t, 200, "")
	f.claim(t, f.handoff(t, ""), fromAppPage()).want(t, 200, "")
}

func TestHandoffRequests(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeMint))
	for _, body := range []string{
		`{"user":{"id":"u1"},"handoff":true,"handoff_origin":"https://evil.example"}`,
		`{"user":{"id":"u1"},"handoff":true,"transport":"cookie"}`,
		`{"user":{"id":"u1"},"handoff":"yes"}`,
	} {
		f.call(t, "POST", "/v1/sessions", body, key).want(t, 400, "invalid_request")
	}
	for _, body := range []string{``, `{`, `{"code":"x"}`, `{"handoff_code":1}`, `[]`} {
		f.call(t, "POST", "/v1/session/claim", body, fromAppPage()).want(t, 400, "invalid_request")
	}
	s := f.mint(t, "u1")
	for _, code := range []string{"", "hc_", "hc_" + strings.Repeat("A", 46), s.refresh, s.access} {
		f.claim(t, code, fromAppPage()).want(t, 401, "handoff_code_invalid")
	}
	exhaust(t, func() answer { return f.claim(t, "hc_x", fromAppPage()) }).want(t, 429, "rate_limited")
	f.claim(t, f.handoff(t, ""), fromAppPage()).want(t, 200, "") // a good one is not held up
}

// TestHandoffReplacesNoSession is row R11: a claim sets the cookies of the session that was handed off,
// whatever cookies were planted, and does not touch another user's session.
func TestHandoffReplacesNoSession(t *testing.T) {
	f := newFixture(t, nil)
	planted, _ := f.mintCookies(t, "attacker")
	a := f.claim(t, f.handoff(t, ""), fromAppPage(), cookie(refreshCookie, planted.Value)).want(t, 200, "")
	if setCookie(t, a, refreshCookie).Value == planted.Value || a.text(t, "user.id") != "u1" {
		t.Errorf("claimed: %s", a.body)
	}
	f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, planted.Value), fromAppPage()).want(t, 200, "")
}
