package handlers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
)

// form sends a form to an OAuth endpoint.
func (f *fixture) form(t *testing.T, path, token string, options ...option) answer {
	t.Helper()
	return f.call(t, "POST", path, url.Values{"token": {token}}.Encode(), append([]option{func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}}, options...)...)
}

func (f *fixture) introspect(t *testing.T, token string) answer {
	t.Helper()
	return f.form(t, "/oauth/introspect", token, bearer(serviceKey(client.ScopeIntrospect))).want(t, 200, "")
}

func TestIntrospect(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"claims":{"plan":"gold"},"audience":["https://api.example"],"amr":["pwd"],"acr":"1"}`,
		bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	access, refresh, id := a.text(t, "access_token"), a.text(t, "refresh_token"), a.text(t, "session.id")

	got := f.introspect(t, access)
	want := map[string]any{
		"active": true, "token_use": "access_token", "token_type": "Bearer", "iss": testIssuer, "sub": "u1",
		"aud": []any{"https://api.example"}, "client_id": "sessions-mint", "sid": id, "plan": "gold", "acr": "1", "amr": []any{"pwd"},
		"iat": float64(f.clock.now().Unix()), "exp": float64(f.clock.now().Add(5 * time.Minute).Unix()),
		"auth_time": float64(f.clock.now().Unix()), "jti": got.at(t, "jti"),
	}
	var have map[string]any
	must(t, json.Unmarshal(got.body, &have))
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	if got := f.introspect(t, refresh); got.text(t, "token_use") != "refresh_token" || got.text(t, "sid") != id {
		t.Errorf("refresh token: %s", got.body)
	}
	// Introspection does not use a token up.
	f.advance(t, time.Minute)
	f.refresh(t, refresh).want(t, 200, "")

	// RFC 7662 §2.2: the answer does not say what is wrong with a token.
	dead := f.mint(t, "u2")
	f.call(t, "DELETE", "/v1/session", nil, bearer(dead.access)).want(t, 204, "")
	f.advance(t, 10*time.Minute)
	for name, token := range map[string]string{
		"revoked": dead.refresh, "expired": access, "forged": damaged(access), "forged refresh": "rt_" + strings.Repeat("A", 64),
		"garbage": "garbage", "a service key": serviceKey(client.ScopeAdmin), "unsigned": "eyJhbGciOiJub25lIn0.e30.",
	} {
		if got := string(f.introspect(t, token).body); got != `{"active":false}` {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestIntrospectCallers(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	key := serviceKey(client.ScopeIntrospect)
	basic := func(user, password string) option {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	f.form(t, "/oauth/introspect", s.access, basic("tokens-introspect", key)).want(t, 200, "")
	f.form(t, "/oauth/introspect", s.access, basic("tokens%2Dintrospect", key)).want(t, 200, "")
	for name, tt := range map[string]struct {
		by        option
		status    int
		word      string
		challenge string
	}{
		"nobody":          {header("X", "y"), 401, "invalid_client", "Bearer"},
		"wrong name":      {basic("someone", key), 401, "invalid_client", "Basic"},
		"no name":         {basic("", key), 401, "invalid_client", "Basic"},
		"wrong key":       {basic("tokens-introspect", "sk_x"), 401, "invalid_client", "Basic"},
		"wrong scope":     {basic("admin", serviceKey(client.ScopeAdmin)), 403, "insufficient_scope", "Bearer"},
		"an access token": {bearer(s.access), 401, "invalid_client", "Bearer"},
	} {
		a := f.form(t, "/oauth/introspect", s.access, tt.by)
		if a.StatusCode != tt.status || a.text(t, "error") != tt.word || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), tt.challenge) {
			t.Errorf("%s: %d %q %s", name, a.StatusCode, a.Header.Get("WWW-Authenticate"), a.body)
		}
	}
}

// formEncoded encodes every character that RFC 6749 appendix B lets a client encode.
func formEncoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c == '_' || c == '-' || c == '.' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// TestClientAuthentication: a service key comes by Basic, where name and key are form-encoded, or in the
// form (RFC 6749 §2.3.1), and in one of these ways only.
func TestClientAuthentication(t *testing.T) {
	// The text of a key with every character that clients encode.
	text := "sk_" + strings.Repeat("-_", 21) + "A"
	f := newFixture(t, func(s *settings) {
		s.http.ServiceKeys = append(s.http.ServiceKeys, client.Key{
			Name: "api_1.dev-x", SHA256: client.HashKey(text), Scopes: []client.Scope{client.ScopeIntrospect},
		})
	})
	s := f.mint(t, "u1")
	const name = "api_1.dev-x"
	basic := func(user, password string) option {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	lower := strings.ToLower(formEncoded("_"))
	for label, tt := range map[string]struct {
		form   url.Values // besides the token
		by     []option
		status int
		word   string
	}{
		"Basic as it is":                {nil, []option{basic(name, text)}, 200, ""},
		"Basic encoded":                 {nil, []option{basic(formEncoded(name), formEncoded(text))}, 200, ""},
		"Basic encoded in lower case":   {nil, []option{basic(name, strings.ReplaceAll(text, "_", lower))}, 200, ""},
		"Basic encoded twice":           {nil, []option{basic(name, url.QueryEscape(formEncoded(text)))}, 401, "invalid_client"},
		"Basic that is not well-formed": {nil, []option{basic(name, text+"%zz")}, 400, "invalid_request"},
		"Basic with its own client_id":  {url.Values{"client_id": {name}}, []option{basic(name, text)}, 200, ""},
		"Basic with another client_id":  {url.Values{"client_id": {"x"}}, []option{basic(name, text)}, 400, "invalid_request"},
		"the form":                      {url.Values{"client_id": {name}, "client_secret": {text}}, nil, 200, ""},
		"the form, another name":        {url.Values{"client_id": {"x"}, "client_secret": {text}}, nil, 401, "invalid_client"},
		"the form without a name":       {url.Values{"client_secret": {text}}, nil, 401, "invalid_client"},
		"the form, another secret":      {url.Values{"client_id": {name}, "client_secret": {text + "A"}}, nil, 401, "invalid_client"},
		"the form, encoded twice":       {url.Values{"client_id": {name}, "client_secret": {formEncoded(text)}}, nil, 401, "invalid_client"},
		"a name alone":                  {url.Values{"client_id": {name}}, nil, 401, "invalid_client"},
		"an empty secret":               {url.Values{"client_id": {name}, "client_secret": {""}}, nil, 401, "invalid_client"},
		"Basic and the form":            {url.Values{"client_id": {name}, "client_secret": {text}}, []option{basic(name, text)}, 400, "invalid_request"},
		"wrong Basic and the form":      {url.Values{"client_id": {name}, "client_secret": {text}}, []option{basic(name, "x")}, 400, "invalid_request"},
		"bearer and the form":           {url.Values{"client_id": {name}, "client_secret": {text}}, []option{bearer(text)}, 400, "invalid_request"},
		"bearer and Basic":              {nil, []option{basic(name, text), header("Authorization", "Bearer "+text)}, 400, "invalid_request"},
		"bearer":                        {nil, []option{bearer(text)}, 200, ""},
		"a secret of another scope":     {url.Values{"client_id": {"admin"}, "client_secret": {serviceKey(client.ScopeAdmin)}}, nil, 403, "insufficient_scope"},
	} {
		fields := url.Values{"token": {s.access}}
		maps.Copy(fields, tt.form)
		options := append([]option{func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }}, tt.by...)
		a := f.call(t, "POST", "/oauth/introspect", fields.Encode(), options...)
		if a.StatusCode != tt.status || tt.word != "" && a.text(t, "error") != tt.word || tt.status == 200 && a.at(t, "active") != true {
			t.Errorf("introspect, %s: %d %s", label, a.StatusCode, a.body)
		}
		// A revocation needs no client, but a client that is named must be known.
		want := tt.status
		if none := tt.by == nil && tt.form.Get("client_secret") == ""; none || want == 403 {
			want = 200
		}
		fields.Set("token", "unknown")
		if a := f.call(t, "POST", "/oauth/revoke", fields.Encode(), options...); a.StatusCode != want {
			t.Errorf("revoke, %s: %d, want %d: %s", label, a.StatusCode, want, a.body)
		}
	}
	// A secret in the query would be in logs.
	f.form(t, "/oauth/introspect?client_id="+name+"&client_secret="+text, s.access).want(t, 400, "")
	metadata := f.call(t, "GET", "/.well-known/oauth-authorization-server", nil)
	for _, endpoint := range []string{"introspection", "revocation"} {
		methods, _ := metadata.at(t, endpoint+"_endpoint_auth_methods_supported").([]any)
		if !slices.Contains(methods, any("client_secret_basic")) || !slices.Contains(methods, any("client_secret_post")) {
			t.Errorf("%s: %v", endpoint, methods)
		}
	}
}

func TestRevokeToken(t *testing.T) {
	f := newFixture(t, nil)
	for name, pick := range map[string]func(tokens) string{
		"access token":  func(s tokens) string { return s.access },
		"refresh token": func(s tokens) string { return s.refresh },
	} {
		s := f.mint(t, "u1")
		for range 2 {
			if a := f.form(t, "/oauth/revoke", pick(s)).want(t, 200, ""); len(a.body) != 0 {
				t.Errorf("%s: %s", name, a.body)
			}
		}
		f.refresh(t, s.refresh).want(t, 401, "session_revoked")
		shown := f.call(t, "GET", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
		if got := shown.text(t, "session.end_reason"); got != "token_revoked" {
			t.Errorf("%s: end_reason %q", name, got)
		}
	}
	old := f.mint(t, "u1")
	f.advance(t, time.Hour)
	f.form(t, "/oauth/revoke", old.access).want(t, 200, "") // it has expired, its session has not
	f.refresh(t, old.refresh).want(t, 401, "session_revoked")
	// RFC 7009 §2.2: an invalid token is a success, so that the answer does not tell whether a token is valid.
	for _, token := range []string{"garbage", "rt_" + strings.Repeat("A", 64), "x.y.z"} {
		f.form(t, "/oauth/revoke", token).want(t, 200, "")
	}
	s := f.mint(t, "u1")
	f.form(t, "/oauth/revoke", s.access, bearer("sk_unknown")).want(t, 401, "")
	f.refresh(t, s.refresh).want(t, 200, "")
	f.form(t, "/oauth/revoke", s.access, bearer(s.access)).want(t, 200, "")
	f.refresh(t, s.refresh).want(t, 401, "session_revoked")
}
