package handlers_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"issuer.example/client"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// post sends a form as a page of the issuer does.
func (f *fixture) post(t *testing.T, path string, fields url.Values, options ...option) answer {
	t.Helper()
	options = append([]option{fromIssuerPage(), func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }}, options...)
	return f.call(t, "POST", path, fields.Encode(), options...)
}

func (f *fixture) alive(t *testing.T, s tokens) bool {
	t.Helper()
	return f.call(t, "GET", "/v1/session", nil, bearer(s.access)).StatusCode == 200
}

func TestAccountPage(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "POST", "/v1/sessions", map[string]any{
		"user": map[string]any{"id": "u1", "name": "<b>Ada</b>"}, "user_agent": firefox, "ip_address": "192.0.2.7",
	}, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	f.mint(t, "u1")
	f.mint(t, "u2")
	a = f.call(t, "GET", "/account/sessions?return_to="+url.QueryEscape(appOrigin+"/settings"), nil, cookie(refreshCookie, a.text(t, "refresh_token"))).want(t, 200, "")
	page := string(a.body)
	for _, want := range []string{
		"Firefox on Linux", "192.0.2.7", "This device", "Unknown device", "&lt;b&gt;Ada", `href="https://app.example/settings"`, `<html lang="en">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if n := strings.Count(page, "<li>"); n != 2 || strings.Count(page, "This device") != 1 {
		t.Errorf("%d devices:\n%s", n, page)
	}
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy: %s", policy)
	}
	if regexp.MustCompile(`(?i)<script|<style|\son[a-z]+=|\sstyle=`).MatchString(page) || strings.Contains(page, "rt_") {
		t.Errorf("inline script, style or a token:\n%s", page)
	}
	sheet := regexp.MustCompile(`href="(/account/assets/[^"]+)"`).FindStringSubmatch(page)
	css := f.call(t, "GET", sheet[1], nil).want(t, 200, "")
	if !strings.Contains(css.Header.Get("Cache-Control"), "immutable") || !strings.Contains(string(css.body), "prefers-color-scheme: dark") {
		t.Errorf("style sheet: %v", css.Header)
	}
	f.call(t, "GET", "/account/assets/account.000000000000.css", nil).want(t, 404, "not_found")
}

func TestAccountForms(t *testing.T) {
	f := newFixture(t, nil)
	mine, also, third, foreign := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
	me := cookie(refreshCookie, mine.refresh)
	back := url.Values{"id": {also.id}, "return_to": {appOrigin + "/a?b=c"}}
	a := f.post(t, "/account/sessions/revoke", back, me).want(t, 303, "")
	if a.Header.Get("Location") != "/account/sessions?return_to=https%3A%2F%2Fapp.example%2Fa%3Fb%3Dc" {
		t.Errorf("Location: %s", a.Header.Get("Location"))
	}
	f.post(t, "/account/sessions/revoke", url.Values{"id": {foreign.id}}, me).want(t, 404, "")
	f.post(t, "/account/sessions/revoke", url.Values{"id": {"x"}}, me).want(t, 404, "")
	if f.alive(t, also) || !f.alive(t, third) || !f.alive(t, foreign) {
		t.Error("the wrong session has ended")
	}
	f.post(t, "/account/sessions/revoke-others", url.Values{}, me).want(t, 303, "")
	if f.alive(t, third) || !f.alive(t, mine) {
		t.Error("the others live, or this one does not")
	}
	// Signing out everywhere asks first, and asking ends nothing.
	page := string(f.call(t, "GET", "/account/sessions/revoke-all", nil, me).want(t, 200, "").body)
	if !strings.Contains(page, `method="post" action="/account/sessions/revoke-all"`) || !f.alive(t, mine) {
		t.Errorf("no confirmation:\n%s", page)
	}
	a = f.post(t, "/account/sessions/revoke-all", url.Values{}, me).want(t, 303, "")
	if !clearsAll(a) || f.alive(t, mine) || !f.alive(t, foreign) {
		t.Errorf("cookies: %v", a.Cookies())
	}
	a = f.call(t, "GET", "/account/sessions?return_to="+url.QueryEscape(appOrigin+"/"), nil, me).want(t, 401, "")
	if page := string(a.body); !strings.Contains(page, "You are not signed in") || !strings.Contains(page, `href="https://app.example/"`) {
		t.Errorf("signed out:\n%s", page)
	}
}

// TestAccountForgery is row R12 for the pages.
func TestAccountForgery(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	for _, path := range []string{"/account/sessions/revoke", "/account/sessions/revoke-others", "/account/sessions/revoke-all"} {
		for name, options := range map[string][]option{
			"nothing":    nil,
			"cross-site": {header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")},
			"same-site":  {header("Sec-Fetch-Site", "same-site"), header("Origin", "https://other.example")},
			"null":       {header("Origin", "null")},
		} {
			options = append(options, cookie(refreshCookie, s.refresh), func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
			if a := f.call(t, "POST", path, "id="+s.id, options...).want(t, 403, ""); len(a.Cookies()) != 0 || !strings.Contains(string(a.body), "<h1>") {
				t.Errorf("%s %s: %v %s", path, name, a.Cookies(), a.body)
			}
		}
		f.call(t, "POST", path, "{}", fromIssuerPage(), cookie(refreshCookie, s.refresh)).want(t, 415, "")
		f.call(t, "GET", "/account/sessions/revoke", nil, cookie(refreshCookie, s.refresh)).want(t, 405, "")
	}
	if !f.alive(t, s) {
		t.Error("the session has ended")
	}
}

// TestReturnAddress: the page links to trusted origins only.
func TestReturnAddress(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	me := cookie(refreshCookie, s.refresh)
	for _, bad := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "https://app.example@evil.example/", "https://app.example.evil.example",
		"http://app.example/", "https://app.example:444/", "https://u:p@app.example/", "data:text/html,x", "https:app.example", `https://app.example\@evil.example`, "/settings",
	} {
		a := f.call(t, "GET", "/account/sessions?return_to="+url.QueryEscape(bad), nil, me).want(t, 400, "")
		if strings.Contains(html.UnescapeString(string(a.body)), bad) {
			t.Errorf("%s is on the page", bad)
		}
		f.post(t, "/account/sessions/revoke", url.Values{"id": {s.id}, "return_to": {bad}}, me).want(t, 400, "")
	}
	if !f.alive(t, s) {
		t.Error("refused, yet the session has ended")
	}
	for _, good := range []string{appOrigin, appOrigin + "/x?y=z#w", testIssuer + "/"} {
		f.call(t, "GET", "/account/sessions?return_to="+url.QueryEscape(good), nil, me).want(t, 200, "")
	}
}
