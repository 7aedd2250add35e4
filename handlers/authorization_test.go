package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/sid"
	"issuer.example/web"
)

// role is a kind of caller: one of these, or a service key of one scope.
type role string

const (
	nobody      role = "nobody"
	otherHolder role = "other holder" // holds a session of another user
	holder      role = "holder"       // holds the session concerned
)

// row is the exact status that each role gets from a route.
type row struct {
	route                       string
	nobody, otherHolder, holder int
	key                         int  // the status of a service key,
	scope                       role // except for one of this scope,
	scoped                      int  // which gets this status
	ends                        []role
}

// open is a route for everyone.
func open(route string) row {
	return row{route: route, nobody: 200, otherHolder: 200, holder: 200, key: 200}
}

// users is a route for holders of a session.
func users(route string, status int, ends ...role) row {
	return row{route: route, nobody: 401, otherHolder: status, holder: status, key: 401, ends: ends}
}

// form is a form of the account pages. It needs the origin of such a page, which no role sends here.
func form(route string) row {
	return row{route: route, nobody: 403, otherHolder: 403, holder: 403, key: 403}
}

// keyed is a route for service keys of a scope.
func keyed(route string, scope role, status int, ends ...role) row {
	return row{route: route, nobody: 401, otherHolder: 401, holder: 401, key: 403, scope: scope, scoped: status, ends: ends}
}

func (r row) want(who role) int {
	switch who {
	case nobody:
		return r.nobody
	case otherHolder:
		return r.otherHolder
	case holder:
		return r.holder
	case r.scope:
		return r.scoped
	default:
		return r.key
	}
}

// The scopes as roles.
const (
	mint, read, revoke = role(client.ScopeMint), role(client.ScopeRead), role(client.ScopeRevoke)
	follow, introspect = role(client.ScopeReadRevocations), role(client.ScopeIntrospect)
	admin              = role(client.ScopeAdmin)
)

// everyone lists every role.
func everyone() []role {
	all := []role{nobody, otherHolder, holder}
	for _, scope := range scopes {
		all = append(all, role(scope))
	}
	return all
}

func publicMatrix() []row {
	return []row{
		open("GET /api/auth/get-session"), // null for nobody
		open("POST /api/auth/get-session"),
		open("GET /api/auth/ok"),
		open("GET /api/auth/jwks"),
		{"POST /api/auth/sign-out", 200, 200, 200, 200, "", 0, []role{holder}},
		users("GET /api/auth/list-sessions", 200),
		users("POST /api/auth/revoke-session", 200, holder), // without effect for the otherHolder
		users("POST /api/auth/revoke-sessions", 200, holder),
		users("POST /api/auth/revoke-other-sessions", 200),
		users("GET /api/auth/revoke-all-sessions", 200, holder),
		users("POST /api/auth/revoke-all-sessions", 200, holder),
		users("GET /api/auth/token", 200),
		users("POST /api/auth/update-session", 400), // there is nothing to update
		users("GET /account/sessions", 200),
		users("GET /account/sessions/revoke-all", 200),
		form("POST /account/sessions/revoke"),
		form("POST /account/sessions/revoke-others"),
		form("POST /account/sessions/revoke-all"),
		open("GET /account/assets/{name}"),
		open("GET /.well-known/jwks.json"),
		open("GET /.well-known/openid-configuration"),
		open("GET /.well-known/oauth-authorization-server"),
		open("GET /openapi.yaml"),
		open("GET /problems/{code}"),
		open("GET /healthz"),
		open("GET /readyz"),
		users("GET /v1/session", 200),
		users("DELETE /v1/session", 204, holder),
		{"GET /v1/sessions", 401, 200, 200, 403, read, 400, nil}, // a service must say whose
		{"GET /v1/sessions?user_id={user}", 401, 403, 403, 403, read, 200, nil},
		keyed("POST /v1/sessions", mint, 201),
		users("POST /v1/sessions/revoke-others", 200),
		users("POST /v1/sessions/revoke-all", 200, holder),
		{"GET /v1/sessions/{id}", 401, 404, 200, 403, read, 200, nil},
		{"DELETE /v1/sessions/{id}", 401, 404, 204, 403, revoke, 204, []role{holder, revoke}},
		keyed("POST /v1/sessions/{id}/reauthenticate", mint, 200),
		keyed("POST /v1/users/{id}/revoke-sessions", revoke, 200, revoke),
		keyed("POST /v1/users/revoke-sessions", revoke, 200, revoke),
		keyed("GET /v1/revocations", follow, 200),
		keyed("GET /v1/revocations/keys", follow, 200),
		keyed("GET /v1/revocations/stream?after=99999", follow, 200), // gone, so that it ends
		keyed("POST /v1/revocations/applied", follow, 204),
		keyed("POST /oauth/introspect", introspect, 200),
		{"POST /oauth/revoke", 200, 200, 200, 200, "", 0, everyone()}, // whoever has the token may
	}
}

func adminMatrix() []row {
	return []row{
		open("GET /healthz"),
		open("GET /readyz"),
		open("GET /metrics"),
		keyed("GET /admin/v1/sessions?user_id={user}", admin, 200),
		keyed("GET /admin/v1/sessions/{id}", admin, 200),
		keyed("DELETE /admin/v1/sessions/{id}", admin, 204, admin),
		keyed("POST /admin/v1/users/{id}/revoke-sessions", admin, 200, admin),
		keyed("POST /admin/v1/users/revoke-sessions", admin, 200, admin),
		keyed("POST /admin/v1/revocations", admin, 204),
		keyed("GET /admin/v1/verifiers", admin, 200),
		keyed("GET /admin/v1/keys", admin, 200),
		keyed("POST /admin/v1/keys/rotate", admin, 200),
		keyed("POST /admin/v1/keys/{kid}/promote", admin, 404), // there is no such key
		keyed("DELETE /admin/v1/keys/{kid}", admin, 404),
		keyed("POST /admin/v1/reload", admin, 200),
		keyed("GET /admin/v1/backup", admin, 200),
		keyed("GET /debug/pprof/", admin, 200),
		keyed("GET /debug/pprof/{profile}", admin, 200),
	}
}

// TestAuthorization is row O09: for every route and every role the exact status, and whether the call has
// ended the session.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	var server *handlers.Server
	f := newFixture(t, func(s *settings) { server = newServer(t, s) })
	for _, listener := range []struct {
		url    string
		matrix []row
		public bool
	}{{f.public.URL, publicMatrix(), true}, {f.admin.URL, adminMatrix(), false}} {
		for _, tt := range listener.matrix {
			for _, who := range everyone() {
				f.clock.add(10 * time.Second) // stay below the limit of failures
				s := f.mint(t, "u1")
				a := f.callAs(t, who, s, listener.url, tt.route)
				if a.StatusCode != tt.want(who) {
					t.Errorf("%s as %s: %d, want %d: %s", tt.route, who, a.StatusCode, tt.want(who), a.body)
				}
				if ended := f.hasEnded(t, s); ended != slices.Contains(tt.ends, who) {
					t.Errorf("%s as %s: the session has ended: %v", tt.route, who, ended)
				}
			}
		}
		checkMatrix(t, listener.matrix, handlers.Routes(server, listener.public))
	}
}

// checkMatrix makes sure that the matrix has all routes except the refresh and the claim, which have no
// role: the token and the code are the credential.
func checkMatrix(t *testing.T, matrix []row, routes []string) {
	t.Helper()
	listed, served := map[string]bool{}, map[string]bool{}
	for _, r := range matrix {
		route, _, _ := strings.Cut(r.route, "?")
		listed[route] = true
	}
	for _, route := range routes {
		if !strings.HasPrefix(route, "HEAD ") && route != "POST /v1/session/refresh" && route != "POST /v1/session/claim" {
			served[route] = true
		}
	}
	if diff := cmp.Diff(served, listed); diff != "" {
		t.Errorf("the routes (-) and the matrix (+) differ:\n%s", diff)
	}
}

func (f *fixture) hasEnded(t *testing.T, s tokens) bool {
	t.Helper()
	id, err := sid.Parse(s.id)
	must(t, err)
	v, err := f.set.http.Sessions.Get(t.Context(), id)
	must(t, err)
	return !v.End.IsZero()
}

// callAs calls a route about the session s in that role.
func (f *fixture) callAs(t *testing.T, who role, s tokens, url, route string) answer {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer(
		"/users/{id}", "/users/"+s.user, "{id}", s.id, "{user}", s.user, "{kid}", "no-such-key",
		"{name}", web.StyleName(), "{code}", "not_found", "{profile}", "goroutine",
	).Replace(path)
	var options []option
	switch who {
	case nobody:
	case holder:
		options = []option{bearer(s.access)}
	case otherHolder:
		options = []option{bearer(f.mint(t, "u2").access)}
	default:
		options = []option{bearer(serviceKey(client.Scope(who)))}
	}
	var body any
	switch {
	case strings.HasPrefix(path, "/oauth/"):
		body = "token=" + s.refresh
		options = append(options, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	case route == "POST /v1/sessions":
		body = `{"user":{"id":"u9"}}`
	case strings.HasSuffix(path, "/users/revoke-sessions"):
		body = `{"user_id":"` + s.user + `"}`
	case path == "/api/auth/revoke-session":
		body = `{"id":"` + s.id + `"}`
	case path == "/v1/revocations/applied":
		body = `{"verifier":"v","seq":1}`
	case path == "/admin/v1/revocations":
		body = `{"client_id":"sessions-read"}` // which has no sessions
	}
	return f.send(t, method, url+path, body, options...)
}

// TestScopeChallenge: the answer names the scope that a key lacks (RFC 6750 §3.1).
func TestScopeChallenge(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(serviceKey(client.ScopeMint))).want(t, 403, "forbidden")
	if got := a.Header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="sessions:read"` {
		t.Errorf("WWW-Authenticate: %s", got)
	}
	for _, key := range []string{
		"sk_", "sk_" + strings.Repeat("x", 43), serviceKey(client.ScopeRead) + "x", serviceKey(client.ScopeRead)[:45],
		strings.ToUpper(serviceKey(client.ScopeRead)),
	} {
		f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(key)).want(t, 401, "token_invalid")
	}
}
