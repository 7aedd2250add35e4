package handlers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"issuer.example/handlers"
	"issuer.example/web"
)

// role is somebody who calls.
type role string

const (
	nobody   role = "nobody"
	stranger role = "stranger" // holds a session of another user
	holder   role = "holder"   // holds the session concerned
)

// TestAuthorization is row O09: every route, every role.
func TestAuthorization(t *testing.T) {
	f := newFixture(t, nil)
	const (
		mint, read, revoke = role(handlers.ScopeMint), role(handlers.ScopeRead), role(handlers.ScopeRevoke)
		introspect, admin  = role(handlers.ScopeIntrospect), role(handlers.ScopeAdmin)
		follow             = role(handlers.ScopeReadRevocations)
	)
	roles := []role{nobody, stranger, holder}
	for _, scope := range scopes {
		roles = append(roles, role(scope))
	}
	everyone := roles
	type row struct {
		route string
		may   []role // are answered with success
		blind []role // hear 404: not theirs
	}
	public := []row{
		{"GET /api/auth/get-session", everyone, nil}, // null for nobody
		{"POST /api/auth/get-session", everyone, nil},
		{"GET /api/auth/ok", everyone, nil},
		{"GET /api/auth/jwks", everyone, nil},
		{"POST /api/auth/sign-out", everyone, nil},
		{"GET /api/auth/list-sessions", []role{stranger, holder}, nil},
		{"POST /api/auth/revoke-session", []role{stranger, holder}, nil}, // without effect for the stranger
		{"POST /api/auth/revoke-sessions", []role{stranger, holder}, nil},
		{"POST /api/auth/revoke-other-sessions", []role{stranger, holder}, nil},
		{"GET /api/auth/revoke-all-sessions", []role{stranger, holder}, nil},
		{"POST /api/auth/revoke-all-sessions", []role{stranger, holder}, nil},
		{"GET /api/auth/token", []role{stranger, holder}, nil},
		{"POST /api/auth/update-session", nil, nil},
		{"GET /account/sessions", []role{stranger, holder}, nil},
		{"GET /account/sessions/revoke-all", []role{stranger, holder}, nil},
		{"POST /account/sessions/revoke", nil, nil}, // only from a page of ours
		{"POST /account/sessions/revoke-others", nil, nil},
		{"POST /account/sessions/revoke-all", nil, nil},
		{"GET /account/assets/" + web.StyleName(), everyone, nil},
		{"GET /.well-known/jwks.json", everyone, nil},
		{"GET /.well-known/openid-configuration", everyone, nil},
		{"GET /.well-known/oauth-authorization-server", everyone, nil},
		{"GET /openapi.yaml", everyone, nil},
		{"GET /problems/not_found", everyone, nil},
		{"GET /healthz", everyone, nil},
		{"GET /readyz", everyone, nil},
		{"GET /v1/session", []role{stranger, holder}, nil},
		{"DELETE /v1/session", []role{stranger, holder}, nil},
		{"GET /v1/sessions", []role{stranger, holder}, nil},
		{"GET /v1/sessions?user_id={user}", []role{read}, nil},
		{"POST /v1/sessions", []role{mint}, nil},
		{"POST /v1/sessions/revoke-others", []role{stranger, holder}, nil},
		{"POST /v1/sessions/revoke-all", []role{stranger, holder}, nil},
		{"GET /v1/sessions/{id}", []role{holder, read}, []role{stranger}},
		{"DELETE /v1/sessions/{id}", []role{holder, revoke}, []role{stranger}},
		{"POST /v1/sessions/{id}/reauthenticate", []role{mint}, nil},
		{"POST /v1/users/{user}/revoke-sessions", []role{revoke}, nil},
		{"GET /v1/revocations", []role{follow}, nil},
		{"GET /v1/revocations/stream?after=99999", []role{follow}, nil}, // gone, so that it ends
		{"POST /v1/revocations/applied", []role{follow}, nil},
		{"POST /oauth/introspect", []role{introspect}, nil},
		{"POST /oauth/revoke", everyone, nil},
	}
	private := []row{
		{"GET /healthz", everyone, nil},
		{"GET /readyz", everyone, nil},
		{"GET /metrics", everyone, nil},
		{"GET /admin/v1/sessions?user_id={user}", []role{admin}, nil},
		{"GET /admin/v1/sessions/{id}", []role{admin}, nil},
		{"DELETE /admin/v1/sessions/{id}", []role{admin}, nil},
		{"POST /admin/v1/users/{user}/revoke-sessions", []role{admin}, nil},
		{"GET /admin/v1/keys", []role{admin}, nil},
		{"POST /admin/v1/keys/rotate", []role{admin}, nil},
		{"GET /admin/v1/backup", []role{admin}, nil},
		{"GET /debug/pprof/goroutine", []role{admin}, nil},
		{"POST /admin/v1/revocations", []role{admin}, nil},
		{"GET /admin/v1/verifiers", []role{admin}, nil},
		{"POST /admin/v1/keys/{kid}/promote", nil, []role{admin}},
		{"DELETE /admin/v1/keys/{kid}", nil, []role{admin}},
	}
	for url, rows := range map[string][]row{f.public.URL: public, f.admin.URL: private} {
		for _, tt := range rows {
			for _, who := range roles {
				a := f.as(t, who, url, tt.route)
				switch {
				case slices.Contains(tt.may, who):
					if a.StatusCode >= 300 {
						t.Errorf("%s as %s: %d %s", tt.route, who, a.StatusCode, a.body)
					}
				case slices.Contains(tt.blind, who):
					if a.StatusCode != 404 {
						t.Errorf("%s as %s: %d, want 404", tt.route, who, a.StatusCode)
					}
				case tt.route == "GET /v1/sessions" && who == read:
					a.want(t, 400, "invalid_request") // a service key must say whose
				case strings.HasSuffix(tt.route, "/update-session") && (who == stranger || who == holder):
					a.want(t, 400, "NO_FIELDS_TO_UPDATE")
				case a.StatusCode != 401 && a.StatusCode != 403 && a.StatusCode != 429:
					t.Errorf("%s as %s: %d, want 401 or 403: %s", tt.route, who, a.StatusCode, a.body)
				}
			}
		}
	}
	f.checkMatrix(t, public, private)
}

// checkMatrix makes sure that the matrix forgets no route but the refresh and the claim,
// which have no role: the token and the code are the credential.
func (f *fixture) checkMatrix(t *testing.T, tables ...any) {
	t.Helper()
	text := fmt.Sprint(tables...)
	for path, item := range openAPI(t).Paths.Map() {
		for method := range item.Operations() {
			prefix, _, _ := strings.Cut(path, "{")
			if path != "/v1/session/refresh" && path != "/v1/session/claim" && !strings.Contains(text, method+" "+prefix) {
				t.Errorf("%s %s is not in the matrix", method, path)
			}
		}
	}
}

// as calls a route on a session of its own, in that role.
func (f *fixture) as(t *testing.T, who role, url, route string) answer {
	t.Helper()
	s := f.mint(t, "u1")
	other := f.mint(t, "u2")
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer("{id}", s.id, "{user}", s.user, "{kid}", "no-such-key").Replace(path)
	var options []option
	switch who {
	case nobody:
	case holder:
		options = []option{bearer(s.access)}
	case stranger:
		options = []option{bearer(other.access)}
	default:
		options = []option{bearer(serviceKey(string(who)))}
	}
	var body any
	switch {
	case strings.HasPrefix(path, "/oauth/"):
		body = "token=" + s.refresh
		options = append(options, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	case route == "POST /v1/sessions":
		body = `{"user":{"id":"u9"}}`
	case path == "/api/auth/revoke-session":
		body = `{"id":"` + s.id + `"}`
	case path == "/v1/revocations/applied":
		body = `{"verifier":"v","seq":1}`
	case path == "/admin/v1/revocations":
		body = `{"client_id":"nobody"}`
	}
	return f.send(t, method, url+path, body, options...)
}

// TestScopeChallenge: a key without the scope hears which one it lacks (RFC 6750 §3.1).
func TestScopeChallenge(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(serviceKey(handlers.ScopeMint))).want(t, 403, "forbidden")
	if got := a.Header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="sessions:read"` {
		t.Errorf("WWW-Authenticate: %s", got)
	}
	for _, key := range []string{
		"sk_", "sk_" + strings.Repeat("x", 43), serviceKey(handlers.ScopeRead) + "x", serviceKey(handlers.ScopeRead)[:45],
		strings.ToUpper(serviceKey(handlers.ScopeRead)),
	} {
		f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(key)).want(t, 401, "token_invalid")
	}
}
