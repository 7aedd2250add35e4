package handlers_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/handlers"
)

// noHead are the paths whose GET changes something or answers at length: HEAD must not do its work.
var noHead = []string{"/api/auth/revoke-all-sessions", "/admin/v1/backup", "/debug/pprof/{profile}"}

// TestHeadDoesNoWork: HEAD of such a path is 405, with the allowed methods.
func TestHeadDoesNoWork(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.Backup = func(context.Context, io.Writer) error {
			t.Error("HEAD has made a backup")
			return nil
		}
	})
	for _, path := range []string{"/admin/v1/backup", "/debug/pprof/heap", "/debug/pprof/profile?seconds=30"} {
		a := f.callAdmin(t, "HEAD", path, nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 405, "")
		if allow := a.Header.Get("Allow"); !strings.Contains(allow, "GET") || strings.Contains(allow, "HEAD") {
			t.Errorf("HEAD %s: Allow %q", path, allow)
		}
	}
	s := f.mint(t, "u1")
	f.call(t, "HEAD", "/api/auth/revoke-all-sessions", nil, bearer(s.access)).want(t, 405, "")
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
}

// TestRoutesAreDescribed: Echo's routes and the operations of openapi.yaml are the same.
func TestRoutesAreDescribed(t *testing.T) {
	var server *handlers.Server
	newFixture(t, func(s *settings) { server = newServer(t, s) })
	served := map[string]bool{}
	for _, public := range []bool{true, false} {
		routes := handlers.Routes(server, public)
		for _, route := range routes {
			if path, ok := strings.CutPrefix(route, "HEAD "); ok {
				if !slices.Contains(routes, "GET "+path) {
					t.Errorf("%s has HEAD without GET", path)
				}
				continue
			}
			served[route] = true
			if path, ok := strings.CutPrefix(route, "GET "); ok && slices.Contains(routes, "HEAD "+path) == slices.Contains(noHead, path) {
				t.Errorf("%s: HEAD is routed: %v", path, slices.Contains(routes, "HEAD "+path))
			}
		}
	}
	described := map[string]bool{}
	for path, item := range openAPI(t).Paths.Map() {
		for method, operation := range item.Operations() {
			described[method+" "+path] = true
			if operation.OperationID == "" || operation.Summary == "" {
				t.Errorf("%s %s has no operationId or no summary", method, path)
			}
		}
	}
	if diff := cmp.Diff(described, served); diff != "" {
		t.Errorf("openapi.yaml (-) and the routes (+) differ:\n%s", diff)
	}
}

// TestMethods is row H09: methods that a path does not have.
func TestMethods(t *testing.T) {
	f := newFixture(t, nil)
	for _, tt := range []struct {
		method, path, allow string
	}{
		{"GET", "/v1/session/refresh", "POST"},
		{"HEAD", "/v1/session/refresh", "POST"},
		{"PUT", "/v1/session", "DELETE"},
		{"TRACE", "/v1/session", "GET"},
		{"FOO", "/v1/sessions", "POST"},
		{"POST", "/.well-known/jwks.json", "GET"},
		{"PATCH", "/v1/sessions/x", "DELETE"},
		{"GET", "/oauth/introspect", "POST"},
		// These would fit /v1/sessions/{id}, too.
		{"GET", "/v1/sessions/revoke-all", "POST"},
		{"HEAD", "/v1/sessions/revoke-all", "POST"},
		{"DELETE", "/v1/sessions/revoke-all", "POST"},
		{"DELETE", "/v1/sessions/revoke-others", "POST"},
	} {
		a := f.call(t, tt.method, tt.path, nil)
		if a.StatusCode != 405 || !strings.Contains(a.Header.Get("Allow"), tt.allow) {
			t.Errorf("%s %s: %d, Allow %q; want 405 and %s", tt.method, tt.path, a.StatusCode, a.Header.Get("Allow"), tt.allow)
		}
	}
	// No header overrides the method.
	f.call(t, "GET", "/v1/session/refresh", nil, header("X-HTTP-Method-Override", "POST")).want(t, 405, "method_not_allowed")
	// HEAD is GET without the body.
	a := f.call(t, "HEAD", "/.well-known/jwks.json", nil).want(t, 200, "")
	if len(a.body) != 0 || a.Header.Get("ETag") == "" {
		t.Errorf("HEAD: body %q, ETag %q", a.body, a.Header.Get("ETag"))
	}
	// OPTIONS that is no preflight lists the methods.
	a = f.call(t, "OPTIONS", "/v1/session", nil).want(t, 204, "")
	if !strings.Contains(a.Header.Get("Allow"), "DELETE") {
		t.Errorf("OPTIONS: Allow %q", a.Header.Get("Allow"))
	}
}

// TestPaths is row H12: paths that are nearly right.
func TestPaths(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeRead))
	id := f.mint(t, "u1").id
	for _, path := range []string{
		"/v1//session", "/v1/session/", "/V1/session", "/v1/session.", "/v1/../v1/session", "/v1/%2e%2e/v1/session",
		"/v1/session;x=1", "/v1/session%00", "/%2e%2e%2fetc/passwd",
		"/v1/sessions/" + id + "/x", "/v1/sessions/" + id + "%2Fx", "/v1/sessions/" + id + "%00",
		"/v1/sessions/" + strings.ToUpper(id) + "X", "/v1/sessions/..%2f" + id, "/v1/sessions/" + id + ".",
		"/v1/sessions/00000000-0000-0000-0000-000000000000", "/v1/sessions/%27%20OR%201=1--",
	} {
		if a := f.call(t, "GET", path, nil, key); a.StatusCode != 404 || a.text(t, "code") != "not_found" {
			t.Errorf("GET %s: %d %s", path, a.StatusCode, a.body)
		}
	}
	f.call(t, "GET", "/v1/sessions/"+id, nil, key).want(t, 200, "")
	admin := bearer(serviceKey(client.ScopeAdmin))
	f.callAdmin(t, "GET", "/admin/v1/sessions/"+id+"/x", nil, admin).want(t, 404, "not_found")
}

// TestUserIDsInPaths: an id is unescaped exactly once, whatever is in it.
func TestUserIDsInPaths(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeRevoke))
	for id, escaped := range map[string]string{
		"a/b":                    "a%2Fb",
		"a%2Fb":                  "a%252Fb",
		"a b":                    "a%20b",
		"a+b":                    "a+b",
		"..":                     "%2e%2e",
		"ü@x":                    "%C3%BC@x",
		strings.Repeat("x", 255): strings.Repeat("x", 255),
	} {
		f.mint(t, id)
		a := f.call(t, "POST", "/v1/users/"+escaped+"/revoke-sessions", nil, key).want(t, 200, "")
		if n := a.at(t, "revoked"); n != 1.0 {
			t.Errorf("%s: revoked %v, want 1", escaped, n)
		}
	}
	for _, escaped := range []string{strings.Repeat("x", 256), "%00", "a%0Ab", "%FF", "%E2%80%AE"} {
		f.call(t, "POST", "/v1/users/"+escaped+"/revoke-sessions", nil, key).want(t, 400, "invalid_request")
	}
	f.call(t, "POST", "/v1/users/nobody/revoke-sessions", nil, key).want(t, 200, "")
}
