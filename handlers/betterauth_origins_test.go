package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestRuleC: a POST with cookies needs exactly one trusted origin, and JSON.
func TestRuleC(t *testing.T) {
	f := newBetterFixture(t, nil)
	posts := []string{
		"get-session", "revoke-session", "revoke-sessions", "revoke-other-sessions", "revoke-all-sessions", "sign-out", "update-session",
	}
	for _, tt := range []struct {
		origin, referer string
		code            string // "" where it may pass
	}{
		{appOrigin, "", ""},
		{testIssuer, "", ""},
		{appOrigin, "https://evil.example/", ""},
		{"", appOrigin + "/page?q=1", ""},
		{"", appOrigin, ""},
		{"", "", "MISSING_OR_NULL_ORIGIN"},
		{"null", appOrigin + "/", "MISSING_OR_NULL_ORIGIN"},
		{"", "about:blank", "MISSING_OR_NULL_ORIGIN"},
		{"https://evil.example", appOrigin + "/", "INVALID_ORIGIN"},
		{"", "https://evil.example/?" + appOrigin, "INVALID_ORIGIN"},
		{appOrigin + ".evil.example", "", "INVALID_ORIGIN"},
		{appOrigin + "/", "", "INVALID_ORIGIN"},
		{appOrigin + ":443", "", "INVALID_ORIGIN"},
		{"http://app.example", "", "INVALID_ORIGIN"},
		{"https://APP.example", "", "INVALID_ORIGIN"},
		{"", "https://app.example@evil.example/", "INVALID_ORIGIN"},
	} {
		for _, post := range posts {
			f.tryCall(t, "POST", post, tt.code, map[string]string{"Origin": tt.origin, "Referer": tt.referer})
		}
	}
	s := f.mint(t, "u1")
	for _, post := range posts {
		for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""} {
			f.call(t, "POST", "/api/auth/"+post, "{}", cookie(refreshCookie, s.refresh), fromAppPage(), func(r *http.Request) {
				r.Header.Set("Content-Type", contentType)
			}).want(t, 415, "UNSUPPORTED_MEDIA_TYPE")
		}
		f.call(t, "POST", "/api/auth/"+post, nil, cookie(refreshCookie, s.refresh), fromAppPage(), header("Origin", appOrigin)).want(t, 403, "INVALID_ORIGIN")
		// The cookie need not be ours: any shows that a browser may stand behind it.
		f.call(t, "POST", "/api/auth/"+post, nil, bearer(s.access), cookie("theme", "dark")).want(t, 403, "MISSING_OR_NULL_ORIGIN")
	}
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	// A request without a cookie needs no origin.
	f.call(t, "POST", "/api/auth/revoke-sessions", nil, bearer(s.access), header("Origin", "https://evil.example")).want(t, 200, "")
}

// TestExpoOrigin: React Native sends no Origin. The plugin's own header counts where it names the custom scheme
// of a configured app.
func TestExpoOrigin(t *testing.T) {
	f := newBetterFixture(t, func(s *settings) {
		s.http.AllowedOrigins = append(s.http.AllowedOrigins, "myapp://", "exp://192.168.0.2:8081")
	})
	for _, route := range []string{
		"POST get-session", "POST revoke-session", "POST revoke-sessions", "POST revoke-other-sessions", "POST revoke-all-sessions",
		"POST sign-out", "POST update-session", "GET revoke-all-sessions",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, tt := range []struct{ expo, origin, referer, code string }{
			{"myapp://", "", "", ""},
			{"myapp:///", "", "", ""}, // as Linking.createURL writes it with three slashes
			{"exp://192.168.0.2:8081/--/", "", "", ""},
			{"myapp://", "", "https://evil.example/", ""},
			{"myapp://", appOrigin, "", ""},
			{"myapp://", "https://evil.example", "", "INVALID_ORIGIN"},
			{"myapp://", "null", "", "MISSING_OR_NULL_ORIGIN"},
			{"otherapp://", "", "", "INVALID_ORIGIN"},
			{"otherapp://", "", appOrigin + "/", "INVALID_ORIGIN"},
			{"myapp://evil.example", "", "", "INVALID_ORIGIN"},
			{"myapp", "", "", "INVALID_ORIGIN"},
			{"myapp:", "", "", "INVALID_ORIGIN"},
			{"myapp:evil", "", "", "INVALID_ORIGIN"},
			{"myapp://user@", "", "", "INVALID_ORIGIN"},
			{"exp://192.168.0.2", "", "", "INVALID_ORIGIN"},
			{"null", "", "", "INVALID_ORIGIN"},
			{appOrigin, "", "", "INVALID_ORIGIN"}, // a web page has an Origin
			{testIssuer, "", "", "INVALID_ORIGIN"},
		} {
			f.tryCall(t, method, path, tt.code, map[string]string{"Expo-Origin": tt.expo, "Origin": tt.origin, "Referer": tt.referer})
		}
	}
	s := f.mint(t, "u1")
	f.call(t, "POST", "/api/auth/sign-out", nil, cookie(refreshCookie, s.refresh), header("Expo-Origin", "myapp://"), header("Expo-Origin", "myapp://")).
		want(t, 403, "INVALID_ORIGIN")
	// It counts for nothing else.
	f.call(t, "DELETE", "/v1/session", nil, cookie(refreshCookie, s.refresh), header("Expo-Origin", "myapp://")).want(t, 403, "forbidden")
	// A browser that asks for it is not allowed to send it from another site.
	a := f.call(t, "OPTIONS", "/api/auth/sign-out", nil, header("Origin", "https://evil.example"),
		header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "expo-origin"))
	if got := a.Header.Get("Access-Control-Allow-Headers"); got != "" {
		t.Errorf("allowed headers: %s", got)
	}
}

// TestRuleG: the GET that changes something is accepted only from the fetch of a trusted page.
func TestRuleG(t *testing.T) {
	f := newBetterFixture(t, nil)
	const blocked, foreign, missing = "CROSS_SITE_REQUEST_BLOCKED", "INVALID_ORIGIN", "MISSING_OR_NULL_ORIGIN"
	fetch := func(site, mode, dest string) map[string]string {
		return map[string]string{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
	}
	with := func(h map[string]string, more ...string) map[string]string {
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	for _, tt := range []struct {
		name    string
		headers map[string]string
		code    string
	}{
		{"fetch of the same origin", fetch("same-origin", "cors", "empty"), ""},
		{"fetch of a trusted origin", with(fetch("cross-site", "cors", "empty"), "Origin", appOrigin), ""},
		{"fetch of a trusted subdomain", with(fetch("same-site", "cors", "empty"), "Origin", appOrigin), ""},
		{"old browser, trusted origin", map[string]string{"Origin": appOrigin}, ""},
		{"old browser, trusted referer", map[string]string{"Referer": appOrigin + "/account"}, ""},
		{"link on another site", fetch("cross-site", "navigate", "document"), blocked},
		{"link on our site", fetch("same-origin", "navigate", "document"), blocked},
		{"typed", fetch("none", "navigate", "document"), blocked},
		{"image of a neighbour", fetch("same-site", "no-cors", "image"), blocked},
		{"image of our own", fetch("same-origin", "no-cors", "image"), blocked},
		{"frame", fetch("same-origin", "navigate", "iframe"), blocked},
		{"no-cors fetch", fetch("cross-site", "no-cors", "empty"), blocked},
		{"fetch of a neighbour without origin", fetch("same-site", "cors", "empty"), blocked},
		{"script", with(fetch("cross-site", "no-cors", "script"), "Referer", appOrigin+"/"), blocked},
		{"crossorigin image", with(fetch("cross-site", "cors", "image"), "Origin", appOrigin), blocked},
		{"only a site", map[string]string{"Sec-Fetch-Site": "same-origin"}, blocked},
		{"foreign fetch", with(fetch("cross-site", "cors", "empty"), "Origin", "https://evil.example"), foreign},
		{"foreign fetch that lies", with(fetch("same-origin", "cors", "empty"), "Origin", "https://evil.example"), foreign},
		{"null", with(fetch("cross-site", "cors", "empty"), "Origin", "null"), missing},
		{"prefetch", with(fetch("same-origin", "cors", "empty"), "Sec-Purpose", "prefetch"), blocked},
		{"prerender", map[string]string{"Origin": appOrigin, "Sec-Purpose": "prefetch;prerender"}, blocked},
		{"old prefetch", map[string]string{"Referer": appOrigin + "/", "Purpose": "prefetch"}, blocked},
		{"old browser, foreign origin", map[string]string{"Origin": "https://evil.example", "Referer": appOrigin + "/"}, foreign},
		{"old browser, foreign referer", map[string]string{"Referer": "https://evil.example/" + appOrigin}, foreign},
		{"old browser, lookalike referer", map[string]string{"Referer": appOrigin + ".evil.example/"}, foreign},
		{"nothing", nil, missing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.tryCall(t, "GET", "revoke-all-sessions", tt.code, tt.headers)
		})
	}
	s := f.mint(t, "u1")
	for _, site := range []string{"same-origin", "cross-site"} { // HEAD is no way around it
		f.call(t, "HEAD", "/api/auth/revoke-all-sessions", nil, cookie(refreshCookie, s.refresh), header("Sec-Fetch-Site", site),
			header("Sec-Fetch-Mode", "cors"), header("Sec-Fetch-Dest", "empty")).want(t, 405, "")
	}
	f.call(t, "HEAD", "/api/auth/revoke-all-sessions", nil, bearer(s.access)).want(t, 405, "")
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	f.call(t, "GET", "/api/auth/revoke-all-sessions", nil, bearer(s.access), header("Sec-Fetch-Mode", "navigate")).want(t, 200, "")
}

// tryCall makes a call by cookie with those headers. If a code is given, the call must be refused with it
// and must not change anything.
func (f *fixture) tryCall(t *testing.T, method, path, code string, headers map[string]string) {
	t.Helper()
	s := f.mint(t, "u1")
	options := []option{cookie(refreshCookie, s.refresh)}
	for name, value := range headers {
		if value != "" {
			options = append(options, header(name, value))
		}
	}
	var body any
	if method == "POST" {
		body = map[string]string{"id": s.id}
	}
	a := f.call(t, method, "/api/auth/"+path, body, options...)
	name := fmt.Sprint(method, " ", path, " ", headers)
	if code == "" {
		if a.StatusCode == 403 || a.StatusCode >= 500 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
		return
	}
	if a.StatusCode != 403 || a.text(t, "code") != code {
		t.Errorf("%s: %d %s, want %s", name, a.StatusCode, a.body, code)
	}
	if len(a.Header["Set-Cookie"]) != 0 {
		t.Errorf("%s: refused, yet sets %v", name, a.Header["Set-Cookie"])
	}
	if got := f.call(t, "GET", "/v1/session", nil, bearer(s.access)); got.StatusCode != 200 {
		t.Errorf("%s: refused, yet the session has ended", name)
	}
}

// TestCORSForBetterAuth: errors and the key set have CORS headers, too.
func TestCORSForBetterAuth(t *testing.T) {
	f := newBetterFixture(t, nil)
	for _, origin := range []string{appOrigin, "https://evil.example", "null"} {
		preflight := f.call(t, "OPTIONS", "/api/auth/get-session", nil, header("Origin", origin), header("Access-Control-Request-Method", "POST")).want(t, 204, "")
		for _, a := range []answer{
			preflight,
			f.call(t, "GET", "/api/auth/get-session", nil, header("Origin", origin)),
			f.call(t, "GET", "/api/auth/jwks", nil, header("Origin", origin)),
			f.call(t, "GET", "/api/auth/list-sessions", nil, header("Origin", origin)).want(t, 401, ""),
			f.call(t, "GET", "/api/auth/nowhere", nil, header("Origin", origin)).want(t, 404, ""),
		} {
			h, trusted := a.Header, origin == appOrigin
			if (h.Get("Access-Control-Allow-Origin") == origin) != trusted || (h.Get("Access-Control-Allow-Credentials") == "true") != trusted || h.Get("Vary") != "Origin" {
				t.Errorf("%s from %s: %v", a.Request.URL.Path, origin, h)
			}
			if trusted && !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Set-Auth-Jwt") {
				t.Errorf("%s: exposed are %s", a.Request.URL.Path, h.Get("Access-Control-Expose-Headers"))
			}
		}
	}
}
