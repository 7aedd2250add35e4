package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"issuer.example/client"
)

// A body that a route which ends sessions does not understand ends nothing.
func TestBodiesThatEndNothing(t *testing.T) {
	f := newFixture(t, nil)
	mine, other := f.mint(t, "u1"), f.mint(t, "u1")
	key, admin := bearer(serviceKey(client.ScopeRevoke)), bearer(serviceKey(client.ScopeAdmin))
	for _, route := range []struct {
		method, path string
		admin        bool
		options      []option
	}{
		{"POST", "/v1/sessions/revoke-others", false, []option{bearer(mine.access)}},
		{"POST", "/v1/sessions/revoke-all", false, []option{bearer(mine.access)}},
		{"DELETE", "/v1/session", false, []option{bearer(mine.access)}},
		{"DELETE", "/v1/sessions/" + other.id, false, []option{bearer(mine.access)}},
		{"DELETE", "/v1/sessions/" + other.id, false, []option{key}},
		{"DELETE", "/admin/v1/sessions/" + other.id, true, []option{admin}},
		{"POST", "/v1/users/u1/revoke-sessions", false, []option{key}},
		{"POST", "/v1/users/revoke-sessions", false, []option{key}},
		{"POST", "/admin/v1/users/u1/revoke-sessions", true, []option{admin}},
		{"POST", "/admin/v1/users/revoke-sessions", true, []option{admin}},
		{"POST", "/admin/v1/keys/rotate", true, []option{admin}},
		{"POST", "/admin/v1/keys/no-such-key/promote", true, []option{admin}},
	} {
		for _, tt := range []struct{ body, field string }{
			{`{"excpet":"` + other.id + `"}`, "excpet"},
			{`{"user_id":"u1","Except":"` + other.id + `"}`, ""},
			{`{"except":null}`, ""},
			{`{"except":7}`, ""},
			{`{"user_id":"u1","except":""}`, ""},
			{`{"except":""}`, ""},
			{`{"user_id":"u1","except":"not an id"}`, ""},
			{`{"user_id":"u1","dry_run":"true"}`, ""},
			{`{"user_id":"u1","reason":"a\u202eb"}`, ""},
			{`[]`, ""},
			{`null`, ""},
			{`"x"`, ""},
			{`{`, ""},
			{`{} {}`, ""},
		} {
			call := f.call
			if route.admin {
				call = f.callAdmin
			}
			a := call(t, route.method, route.path, tt.body, route.options...).want(t, 400, "invalid_request")
			if tt.field != "" && a.text(t, "field") != tt.field {
				t.Errorf("%s %s with %s: field %q", route.method, route.path, tt.body, a.text(t, "field"))
			}
		}
	}
	for _, path := range []string{"/v1/users/u1/revoke-sessions", "/v1/users/revoke-sessions"} {
		for _, query := range []string{"except=" + other.id, "dry_run=true", "reason=x", "user_id=u2", "dry_run"} {
			f.call(t, "POST", path+"?"+query, `{"user_id":"u1"}`, key).want(t, 400, "invalid_request")
			f.call(t, "POST", "/v1/users/u1/revoke-sessions?"+query, nil, key).want(t, 400, "invalid_request")
			f.callAdmin(t, "POST", "/admin"+path+"?"+query, `{"user_id":"u1"}`, admin).want(t, 400, "invalid_request")
		}
	}
	kid := f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, admin).text(t, "key.kid")
	f.callAdmin(t, "DELETE", "/admin/v1/keys/"+kid, `{"dry_run":true}`, admin).want(t, 400, "invalid_request")
	for _, path := range []string{"revoke-sessions", "revoke-other-sessions", "revoke-all-sessions"} {
		a := f.call(t, "POST", "/api/auth/"+path, `{"except":"`+other.id+`"}`, bearer(mine.access))
		if a.StatusCode != 400 {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	if !f.alive(t, mine) || !f.alive(t, other) {
		t.Error("a session has ended")
	}
	for _, body := range []any{nil, "{}", " { } "} {
		s := f.mint(t, "u2")
		f.call(t, "POST", "/v1/sessions/revoke-all", body, bearer(s.access)).want(t, 200, "")
	}
}

// The sessions of a user end but for the one that is to be spared, and a dry run ends none.
func TestRevokeUserOptions(t *testing.T) {
	for name, route := range map[string]struct {
		path  string
		admin bool
	}{
		"service": {"/v1/users/revoke-sessions", false},
		"admin":   {"/admin/v1/users/revoke-sessions", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			call, key := f.call, bearer(serviceKey(client.ScopeRevoke))
			if route.admin {
				call, key = f.callAdmin, bearer(serviceKey(client.ScopeAdmin))
			}
			old, spared, newer, stranger := f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u1"), f.mint(t, "u2")
			revoke := func(members string) answer {
				return call(t, "POST", route.path, `{"user_id":"u1"`+members+`}`, key)
			}
			for _, unknown := range []string{stranger.id, "01890a5d-ac96-774b-bcce-b302099a8057"} {
				revoke(`,"except":"`+unknown+`"`).want(t, 404, "not_found")
				revoke(`,"except":"`+unknown+`","dry_run":true`).want(t, 404, "not_found")
			}
			if n := revoke(`,"dry_run":true`).want(t, 200, "").at(t, "revoked"); n != 3.0 {
				t.Errorf("%v sessions would end, want 3", n)
			}
			if n := revoke(`,"dry_run":true,"except":"`+spared.id+`"`).want(t, 200, "").at(t, "revoked"); n != 2.0 {
				t.Errorf("%v sessions would end, want 2", n)
			}
			if !f.alive(t, old) || !f.alive(t, newer) {
				t.Fatal("a dry run has ended a session")
			}
			a := revoke(`,"except":"`+spared.id+`","reason":"password changed"`).want(t, 200, "")
			if n := a.at(t, "revoked"); n != 2.0 {
				t.Errorf("%v sessions have ended, want 2", n)
			}
			if !f.alive(t, spared) || !f.alive(t, stranger) || f.alive(t, old) || f.alive(t, newer) {
				t.Error("the wrong sessions have ended")
			}
			if !strings.Contains(f.log.String(), `"note":"password changed"`) {
				t.Error("the reason is not in the log")
			}
		})
	}
}

// Users whose ids do not survive a path are named in the body.
func TestRevokeUsersOfAnyID(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeRevoke))
	for _, id := range []string{".", "..", "a/b", "a%2Fb", "revoke-sessions", "a b", "ü", "?", "#"} {
		s := f.mint(t, id)
		a := f.call(t, "POST", "/v1/users/revoke-sessions", map[string]string{"user_id": id}, key).want(t, 200, "")
		if a.at(t, "revoked") != 1.0 || f.alive(t, s) {
			t.Errorf("%q: %s", id, a.body)
		}
	}
	s := f.mint(t, "a/b c")
	f.call(t, "POST", "/v1/users/"+url.PathEscape("a/b c")+"/revoke-sessions", nil, key).want(t, 200, "")
	if f.alive(t, s) {
		t.Error("an escaped id was not understood")
	}
	f.call(t, "POST", "/v1/users/u1/revoke-sessions", `{"user_id":"u2"}`, key).want(t, 400, "invalid_request")
	for _, body := range []string{`{}`, `{"user_id":""}`, ``} {
		f.call(t, "POST", "/v1/users/revoke-sessions", body, key).want(t, http.StatusBadRequest, "invalid_request")
	}
}
