package guard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// whoami answers with the subject.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	claims, ok := guard.FromContext(r.Context())
	if !ok {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte(claims.Subject))
})

func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func get(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// T33: exactly one credential.
func TestCredential(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	const cookie = "__Secure-better-auth.access_token"
	g := iss.Guard(t, func(c *guard.Config) { c.Cookie = cookie })
	a, b := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
	for name, c := range map[string]struct {
		headers []string
		cookies []string
		query   string
		status  int
	}{
		"header":                    {headers: []string{"Bearer " + a}, status: 200},
		"scheme in lower case":      {headers: []string{"bearer " + a}, status: 200},
		"scheme in capitals":        {headers: []string{"BEARER " + a}, status: 200},
		"cookie":                    {cookies: []string{cookie + "=" + a}, status: 200},
		"the same in both":          {headers: []string{"Bearer " + a}, cookies: []string{cookie + "=" + a}, status: 200},
		"the same cookie twice":     {cookies: []string{cookie + "=" + a, cookie + "=" + a}, status: 200},
		"a look-alike cookie":       {headers: []string{"Bearer " + a}, cookies: []string{"better-auth.access_token=" + b}, status: 200},
		"nothing":                   {status: 401},
		"an empty cookie":           {cookies: []string{cookie + "="}, status: 401},
		"only a look-alike":         {cookies: []string{"__secure-better-auth.access_token=" + a}, status: 401},
		"another scheme":            {headers: []string{"Basic dTpw"}, status: 401},
		"two headers":               {headers: []string{"Bearer " + a, "Bearer " + b}, status: 400},
		"the same header twice":     {headers: []string{"Bearer " + a, "Bearer " + a}, status: 400},
		"two schemes":               {headers: []string{"Basic dTpw", "Bearer " + a}, status: 400},
		"two schemes in one header": {headers: []string{"Basic dTpw, Bearer " + a}, status: 400},
		"two tokens in one header":  {headers: []string{"Bearer " + a + " " + b}, status: 400},
		"a tab":                     {headers: []string{"Bearer\t" + a}, status: 400},
		"two spaces":                {headers: []string{"Bearer  " + a}, status: 400},
		"no token":                  {headers: []string{"Bearer"}, status: 400},
		"an empty token":            {headers: []string{"Bearer "}, status: 400},
		"an empty header":           {headers: []string{""}, status: 401},
		"query and header":          {headers: []string{"Bearer " + a}, query: "access_token=" + a, status: 400},
		"query alone":               {query: "access_token=" + a, status: 400},
		"query, escaped":            {headers: []string{"Bearer " + a}, query: "x=1&access_token=" + a, status: 400},
		"a query of that value":     {headers: []string{"Bearer " + a}, query: "x=access_token", status: 200},
		"header and cookie differ":  {headers: []string{"Bearer " + a}, cookies: []string{cookie + "=" + b}, status: 400},
		"two cookies":               {cookies: []string{cookie + "=" + a, cookie + "=" + b}, status: 400},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+c.query, nil)
		r.Header["Authorization"] = c.headers
		for _, text := range c.cookies {
			r.Header.Add("Cookie", text)
		}
		res := serve(g.Middleware(whoami), r)
		if res.StatusCode != c.status {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		challenge := res.Header.Get("WWW-Authenticate")
		switch {
		case c.status == 400 && !strings.HasPrefix(challenge, `Bearer error="invalid_request"`),
			c.status == 401 && challenge != "Bearer", c.status == 200 && challenge != "":
			t.Errorf("%s: challenge %q", name, challenge)
		}
	}
}

// No cookie is read unless the configuration names one.
func TestCookieIsOffByDefault(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	r := get("")
	r.Header.Set("Cookie", "better-auth.access_token="+iss.Mint(t, jwt.Claims{}))
	if res := serve(g.Middleware(whoami), r); res.StatusCode != 401 {
		t.Error(res.StatusCode)
	}
}

// R12: a page of another site can't make a browser send an unsafe request with the cookie.
func TestCrossOriginCookie(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t, func(c *guard.Config) {
		c.Cookie, c.TrustedOrigins = "token", []string{"https://app.example.com"}
	})
	token := iss.Mint(t, jwt.Claims{})
	for name, c := range map[string]struct {
		method, site, origin string
		bearer               bool
		status               int
	}{
		"same origin":        {method: "POST", site: "same-origin", status: 200},
		"cross-site":         {method: "POST", site: "cross-site", origin: "https://evil.example", status: 403},
		"same site":          {method: "POST", site: "same-site", origin: "https://other.example.com", status: 403},
		"trusted":            {method: "POST", site: "same-site", origin: "https://app.example.com", status: 200},
		"look-alike":         {method: "DELETE", site: "cross-site", origin: "https://app.example.com.evil.example", status: 403},
		"null":               {method: "PUT", site: "cross-site", origin: "null", status: 403},
		"says nothing":       {method: "POST", status: 403},
		"origin is the host": {method: "POST", origin: "http://example.com", status: 200},
		"reading":            {method: "GET", site: "cross-site", status: 200},
		"bearer":             {method: "POST", site: "cross-site", origin: "https://evil.example", bearer: true, status: 200},
	} {
		r := httptest.NewRequest(c.method, "http://example.com/", nil)
		r.Header.Set("Cookie", "token="+token)
		if c.bearer {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for header, value := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		if res := serve(g.Middleware(whoami), r); res.StatusCode != c.status {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestAnswers(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	revoked := iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, revoked)
	iss.Await(t, g)
	good := iss.Mint(t, jwt.Claims{Subject: "u5", AuthTime: c.Now().Add(-time.Hour)})
	expired := iss.Mint(t, jwt.Claims{IssuedAt: c.Now().Add(-time.Hour)})
	for name, want := range map[string]struct {
		token     string
		asks      []guard.Requirement
		status    int
		code      string
		cause     string
		challenge string
	}{
		"good":    {good, nil, 200, "", "", ""},
		"none":    {"", nil, 401, "token_invalid", "missing", "Bearer"},
		"expired": {expired, nil, 401, "token_expired", "exp", `Bearer error="invalid_token", error_description="The access token has expired [exp]"`},
		"revoked": {revoked, nil, 401, "session_revoked", "revoked", `Bearer error="invalid_token", error_description="The session has been revoked [revoked]"`},
		"garbage": {"x", nil, 401, "token_invalid", "encoding", `Bearer error="invalid_token", error_description="The access token is not valid [encoding]"`},
		"scope": {
			good,
			[]guard.Requirement{guard.RequireScope("orders:read", `a"b`)},
			403, "forbidden", "scope",
			`Bearer error="insufficient_scope", scope="orders:read a?b"`,
		},
		"fresh": {
			good,
			[]guard.Requirement{guard.RequireFresh(5 * time.Minute)},
			401, "not_fresh", "fresh",
			`Bearer error="insufficient_user_authentication", max_age=300`,
		},
		"acr": {
			good,
			[]guard.Requirement{guard.RequireACR("mfa", "phr")},
			401, "not_fresh", "acr",
			`Bearer error="insufficient_user_authentication", acr_values="mfa phr"`,
		},
	} {
		res := serve(g.Require(want.asks...)(whoami), get(want.token))
		if res.StatusCode != want.status || res.Header.Get("WWW-Authenticate") != want.challenge {
			t.Errorf("%s: %d, %s", name, res.StatusCode, res.Header.Get("WWW-Authenticate"))
		}
		if want.status == 200 {
			continue
		}
		var body struct {
			Code, Cause string
			Status      int
		}
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if body.Code != want.code || body.Cause != want.cause || body.Status != want.status ||
			res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v %v", name, body, res.Header)
		}
	}

	c.Advance(31 * time.Second)
	res := serve(g.Middleware(whoami), get(good))
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || res.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("stale: %d, %v", res.StatusCode, res.Header)
	}
	if res := serve(g.Require(guard.WhenStale(guard.FailOpen))(whoami), get(good)); res.StatusCode != 200 {
		t.Errorf("stale, fail_open: %d", res.StatusCode)
	}
}

// A refusal contains no part of the token.
func TestRefusalHoldsNoToken(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	token := iss.Mint(t, jwt.Claims{Audience: []string{"https://canary.example"}, Subject: "canary"})
	for _, bad := range []string{token, token + "x", "canary" + token, "canary"} {
		w := httptest.NewRecorder()
		g.Middleware(whoami).ServeHTTP(w, get(bad))
		text := w.Body.String() + w.Header().Get("WWW-Authenticate")
		if w.Code != 401 || strings.Contains(text, "canary") || strings.Contains(text, token[:20]) {
			t.Errorf("%d %s", w.Code, text)
		}
		if _, err := g.Verify(t.Context(), bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Error(err)
		}
	}
}
