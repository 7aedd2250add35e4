package handlers_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/handlers"
)

// TestNoSecretIsLogged is row O05: tokens and keys are presented to every route in every way, and are in
// no log afterwards.
func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	var secrets []string
	for _, scope := range scopes {
		secrets = append(secrets, serviceKey(scope))
	}
	for path, item := range openAPI(t).Paths.Map() {
		for method := range item.Operations() {
			s := f.mint(t, "u1")
			secrets = append(secrets, s.access, s.refresh)
			path = strings.NewReplacer("{id}", s.id, "{kid}", "k", "{code}", "not_found", "{profile}", "symbol").Replace(path)
			url := f.public.URL
			if strings.HasPrefix(path, "/admin") || strings.HasPrefix(path, "/debug") || path == "/metrics" {
				url = f.admin.URL
			}
			for _, secret := range []string{s.access, s.refresh, serviceKey(client.ScopeAdmin), serviceKey(client.ScopeMint)} {
				f.send(t, method, url+path, nil, bearer(secret))
				f.send(t, method, url+path+"?access_token="+secret, nil)
				f.send(t, method, url+path+"?user_id="+secret, nil, bearer(secret))
				f.send(t, method, url+path, `{"refresh_token":"`+secret+`","`+secret+`":1}`)
				f.send(t, method, url+path, "token="+secret, func(r *http.Request) {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				})
				f.send(t, method, url+path, nil, cookie(refreshCookie, secret), cookie(accessCookie, secret), fromIssuerPage())
				f.send(t, method, url+path, nil, func(r *http.Request) { r.SetBasicAuth("x", secret) })
				f.send(t, method, url+"/"+secret, nil)
			}
		}
	}
	scrape := f.callAdmin(t, "GET", "/metrics", nil).want(t, 200, "")
	must(t, f.store.Close())
	file, err := os.ReadFile(f.path)
	must(t, err)
	for name, text := range map[string]string{"the log": f.log.String(), "the metrics": string(scrape.body), "the data file": string(file)} {
		for _, secret := range secrets {
			if strings.Contains(text, secret) || strings.Contains(text, secret[len(secret)/2:]) {
				t.Errorf("%s has a secret: %.12s...", name, secret)
			}
			if raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(secret, "rt_")); err == nil && strings.Contains(text, string(raw)) {
				t.Errorf("%s has the bytes of a secret: %.12s...", name, secret)
			}
		}
	}
}

// TestLogLines: each event is one line of JSON, whatever the request contains.
func TestLogLines(t *testing.T) {
	f := newFixture(t, nil)
	agents := []string{
		"two\u2028lines", "%s%d%!", "evil\u202egnp.exe", strings.Repeat("long ", 2000), "\xff\xfe", `"},{"msg":"forged`,
	}
	for _, agent := range agents {
		r, err := http.NewRequestWithContext(t.Context(), "GET", f.public.URL+"/openapi.yaml", nil)
		must(t, err)
		r.Header["User-Agent"] = []string{agent}
		response, err := f.client.Transport.(*contract).next.RoundTrip(r)
		must(t, err)
		must(t, response.Body.Close())
	}
	f.mint(t, "%s-u1")
	lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
	for _, line := range lines {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("not JSON: %s", line)
		}
		if len(line) > 1500 || strings.ContainsAny(line, "\x1b\u2028\u202e") || entry["msg"] == "forged" {
			t.Errorf("log line: %s", line)
		}
	}
}

// TestFailuresSayNothing is row O06: only the log says why an internal error happened.
func TestFailuresSayNothing(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.Checks = append(s.http.Checks, handlers.Check{Name: "bomb", Err: func() error {
			panic("canary-panic")
		}})
	})
	a := f.call(t, "GET", "/readyz", nil)
	if a.StatusCode != 500 || strings.Contains(string(a.body), "panic") || strings.Contains(string(a.body), "runtime") {
		t.Errorf("panic: %d %s", a.StatusCode, a.body)
	}
	id := a.text(t, "request_id")
	if log := f.log.String(); strings.Contains(log, "canary-panic") || id == "" || !strings.Contains(log, id) || !strings.Contains(log, "secrets_test.go") {
		t.Error("the log has no stack under the request id")
	}
	s := f.mint(t, "u1")
	must(t, f.store.Close())
	for _, a := range []answer{
		f.refresh(t, s.refresh),
		f.call(t, "GET", "/v1/session", nil, bearer(s.access)),
		f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)),
		f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"}}`, bearer(serviceKey(client.ScopeMint))),
		f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(serviceKey(client.ScopeRead))),
		f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, s.access)),
	} {
		a.want(t, 503, "unavailable")
		if a.Header.Get("Retry-After") == "" || strings.Contains(string(a.body), "bolt") || strings.Contains(string(a.body), f.path) {
			t.Errorf("%s: %v %s", a.Request.URL.Path, a.Header, a.body)
		}
	}
	if a := f.form(t, "/oauth/introspect", s.access, bearer(serviceKey(client.ScopeIntrospect))); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("introspect: %d %s", a.StatusCode, a.body)
	}
	f.call(t, "GET", "/.well-known/jwks.json", nil).want(t, 200, "")
}
