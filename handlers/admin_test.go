package handlers_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/fact"
	"issuer.example/session"
)

func TestAdminSessions(t *testing.T) {
	f := newFixture(t, nil)
	admin := bearer(serviceKey(client.ScopeAdmin))
	first, second := f.mint(t, "u 1"), f.mint(t, "u 1")
	f.callAdmin(t, "DELETE", "/admin/v1/sessions/"+first.id, nil, admin).want(t, 204, "")
	f.callAdmin(t, "DELETE", "/admin/v1/sessions/"+first.id, nil, admin).want(t, 204, "")
	a := f.callAdmin(t, "GET", "/admin/v1/sessions?user_id=u%201", nil, admin).want(t, 200, "")
	live, _ := a.at(t, "sessions").([]any)
	ended, _ := a.at(t, "history").([]any)
	if len(live) != 1 || len(ended) != 1 {
		t.Fatalf("sessions: %s", a.body)
	}
	a = f.callAdmin(t, "GET", "/admin/v1/sessions/"+first.id, nil, admin).want(t, 200, "")
	if a.text(t, "session.end_reason") != "revoked_by_admin" || a.text(t, "session.ended_at") == "" {
		t.Errorf("ended session: %s", a.body)
	}
	f.call(t, "GET", "/v1/session", nil, bearer(first.access)).want(t, 401, "session_revoked")
	f.call(t, "GET", "/v1/session", nil, bearer(second.access)).want(t, 200, "")

	if a := f.callAdmin(t, "POST", "/admin/v1/users/u%201/revoke-sessions", nil, admin).want(t, 200, ""); a.at(t, "revoked") != 1.0 {
		t.Errorf("revoke-sessions: %s", a.body)
	}
	unknown := "/admin/v1/sessions/01890000-0000-7000-8000-000000000000"
	f.callAdmin(t, "DELETE", unknown, nil, admin).want(t, 404, "not_found")
	f.callAdmin(t, "GET", unknown, nil, admin).want(t, 404, "not_found")
	for _, query := range []string{"", "?user_id=", "?user_id=a&user_id=b", "?user_id=%00", "?user_id=a&limit=0", "?user_id=a&limit=1001", "?user_id=a&limit=x", "?user_id=%zz"} {
		f.callAdmin(t, "GET", "/admin/v1/sessions"+query, nil, admin).want(t, 400, "invalid_request")
	}
	for range 3 {
		s := f.mint(t, "u2")
		f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
	}
	a = f.callAdmin(t, "GET", "/admin/v1/sessions?user_id=u2&limit=2", nil, admin).want(t, 200, "")
	if ended, _ := a.at(t, "history").([]any); len(ended) != 2 {
		t.Errorf("limit=2: %s", a.body)
	}
}

func TestAdminMarks(t *testing.T) {
	f := newFixture(t, nil)
	admin := bearer(serviceKey(client.ScopeAdmin))
	s := f.mint(t, "u1")
	for _, body := range []string{
		`{}`, `{"client_id":""}`, `{"everything":false}`, `{"client_id":"x","everything":true}`, `{"client_id":"a\u0000"}`, `{"everyone":true}`, `{"everything":"true"}`,
	} {
		f.callAdmin(t, "POST", "/admin/v1/revocations", body, admin).want(t, 400, "invalid_request")
	}
	f.callAdmin(t, "POST", "/admin/v1/revocations", `{"client_id":"someone-else"}`, admin).want(t, 404, "not_found") // a slip of the pen
	f.callAdmin(t, "POST", "/admin/v1/revocations", `{"client_id":"sessions-read"}`, admin).want(t, 204, "")         // has minted nothing
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	f.callAdmin(t, "POST", "/admin/v1/revocations", `{"client_id":"sessions-mint"}`, admin).want(t, 204, "")
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "session_revoked")
	s = f.mint(t, "u1") // the very next sign-in is not covered
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	f.callAdmin(t, "POST", "/admin/v1/revocations", `{"everything":true}`, admin).want(t, 204, "")
	f.refresh(t, s.refresh).want(t, 401, "session_revoked")
	f.refresh(t, f.mint(t, "u1").refresh).want(t, 200, "")
}

func TestAdminKeys(t *testing.T) {
	f := newFixture(t, nil)
	admin := bearer(serviceKey(client.ScopeAdmin))
	var first string
	for kid := range f.keyStates(t) {
		first = kid
	}
	rotated := f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, admin).want(t, 200, "")
	next := rotated.text(t, "key.kid")
	if again := f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, admin).want(t, 200, ""); again.text(t, "key.kid") != next {
		t.Error("rotating twice makes two keys")
	}
	early := f.callAdmin(t, "POST", "/admin/v1/keys/"+next+"/promote", nil, admin).want(t, 409, "conflict")
	if !strings.Contains(early.text(t, "detail"), "2026-03-01T") {
		t.Errorf("it does not say when: %s", early.body)
	}
	s := f.mint(t, "u1")
	// The active key is stolen: it goes at once, and every session with it.
	f.callAdmin(t, "DELETE", "/admin/v1/keys/"+first+"?reason=stolen", nil, admin).want(t, 204, "")
	if got := f.keyStates(t); got[first] != "gone" || got[next] != "active" {
		t.Errorf("keys: %v", got)
	}
	if a := f.call(t, "GET", "/.well-known/jwks.json", nil); strings.Contains(string(a.body), first) {
		t.Errorf("the JWKS still has it: %s", a.body)
	}
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "token_invalid")
	f.refresh(t, s.refresh).want(t, 401, "session_revoked")
	// Repeating the call, weeks later perhaps, ends nothing. Neither does a refused call.
	after := f.mint(t, "u1")
	f.callAdmin(t, "DELETE", "/admin/v1/keys/"+first+"?reason=stolen", nil, admin).want(t, 204, "")
	f.callAdmin(t, "DELETE", "/admin/v1/keys/nope?reason=stolen", nil, admin).want(t, 404, "not_found")
	f.call(t, "GET", "/v1/session", nil, bearer(after.access)).want(t, 200, "")

	f.callAdmin(t, "POST", "/admin/v1/keys/"+first+"/promote", nil, admin).want(t, 409, "conflict")
	f.callAdmin(t, "DELETE", "/admin/v1/keys/"+next+"?reason=a%0Ab", nil, admin).want(t, 400, "invalid_request")
	for _, kid := range []string{"nope", "..%2f..%2fetc", "%00", strings.Repeat("x", 65)} {
		f.callAdmin(t, "DELETE", "/admin/v1/keys/"+kid, nil, admin).want(t, 404, "not_found")
		f.callAdmin(t, "POST", "/admin/v1/keys/"+kid+"/promote", nil, admin).want(t, 404, "not_found")
	}
}

// failing is a store that fails a number of marks, once as many have passed.
type failing struct {
	session.Store

	pass, fail atomic.Int32
}

func (s *failing) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if s.pass.Add(-1) < 0 && s.fail.Add(-1) >= 0 {
		return session.Marked{}, session.ErrUnavailable
	}
	return s.Store.Mark(ctx, m)
}

// TestKeyRevokedByHalf: if the store fails when the key is gone already, verifiers are not informed, and
// repeating the call does not change that. The answer says what to do.
func TestKeyRevokedByHalf(t *testing.T) {
	store := &failing{}
	f := newFixture(t, func(s *settings) { store.Store, s.sessions.Store = s.sessions.Store, store })
	admin, key := bearer(serviceKey(client.ScopeAdmin)), f.keys.List()[0].ID
	store.fail.Store(1)
	f.callAdmin(t, "DELETE", "/admin/v1/keys/"+key, nil, admin).want(t, 503, "unavailable")
	if got := f.keyStates(t); got[key] != "active" {
		t.Errorf("nobody could be told, and the key is %s", got[key])
	}
	store.pass.Store(1)
	store.fail.Store(1)
	a := f.callAdmin(t, "DELETE", "/admin/v1/keys/"+key, nil, admin).want(t, 503, "unavailable")
	if got := f.keyStates(t); got[key] != "gone" || !strings.Contains(a.text(t, "detail"), "end everything") {
		t.Errorf("the key is %s, and the answer %s", got[key], a.body)
	}
}

// TestPromote: the promoted key signs from then on, the previous one verifies until its last token has
// expired, and nothing else changes.
func TestPromote(t *testing.T) {
	f := newFixture(t, nil)
	admin := bearer(serviceKey(client.ScopeAdmin))
	first := f.keys.List()[0].ID
	before := f.mint(t, "u1")
	next := f.callAdmin(t, "POST", "/admin/v1/keys/rotate", nil, admin).want(t, 200, "").text(t, "key.kid")
	if got := kidOf(t, f.mint(t, "u1").access); next == first || got != first {
		t.Fatalf("after rotating to %s %s signs, want %s", next, got, first)
	}
	// The schedule would promote it an hour and a margin later; the call is for operators who cannot wait.
	for {
		a := f.callAdmin(t, "POST", "/admin/v1/keys/"+next+"/promote", nil, admin)
		if a.StatusCode == 204 {
			break
		}
		a.want(t, 409, "conflict")
		if got := kidOf(t, f.mint(t, "u1").access); got != first {
			t.Fatalf("a refused promotion makes %s sign", got)
		}
		f.clock.add(time.Minute)
	}
	s := f.mint(t, "u1")
	if got := kidOf(t, s.access); got != next {
		t.Errorf("%s signs, want %s", got, next)
	}
	f.callAdmin(t, "POST", "/admin/v1/keys/"+next+"/promote", nil, admin).want(t, 204, "") // again: nothing to do
	f.callAdmin(t, "POST", "/admin/v1/keys/"+first+"/promote", nil, admin).want(t, 409, "conflict")
	want := map[string]string{first: "retiring", next: "active"}
	if diff := cmp.Diff(want, f.keyStates(t)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	published := string(f.call(t, "GET", "/.well-known/jwks.json", nil).want(t, 200, "").body)
	if strings.Count(published, `"kid"`) != 2 || !strings.Contains(published, first) || !strings.Contains(published, next) {
		t.Errorf("JWKS: %s", published)
	}
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
	f.refresh(t, before.refresh).want(t, 200, "")
}

// kidOf returns the kid in the header of a token.
func kidOf(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	must(t, err)
	var header struct {
		KeyID string `json:"kid"`
	}
	must(t, json.Unmarshal(raw, &header))
	return header.KeyID
}

// keyStates returns the states of all keys, as the admin API shows them.
func (f *fixture) keyStates(t *testing.T) map[string]string {
	t.Helper()
	states := map[string]string{}
	a := f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	list, _ := a.at(t, "keys").([]any)
	for _, k := range list {
		key, _ := k.(map[string]any)
		kid, _ := key["kid"].(string)
		states[kid], _ = key["state"].(string)
	}
	return states
}

func TestBackup(t *testing.T) {
	var write func(io.Writer) error
	f := newFixture(t, func(s *settings) {
		s.http.Backup = func(_ context.Context, w io.Writer) error { return write(w) }
	})
	admin := bearer(serviceKey(client.ScopeAdmin))
	write = func(w io.Writer) error {
		_, err := io.WriteString(w, "a copy")
		return err
	}
	if a := f.callAdmin(t, "GET", "/admin/v1/backup", nil, admin).want(t, 200, ""); string(a.body) != "a copy" {
		t.Errorf("backup: %s", a.body)
	}
	if got := f.administered(t); len(got) != 1 || got[0].What != "backup" || got[0].By != clientName(client.ScopeAdmin) {
		t.Errorf("the journal says of the backup: %+v", got)
	}
	failing := errors.New("disk on fire")
	write = func(io.Writer) error { return failing }
	f.callAdmin(t, "GET", "/admin/v1/backup", nil, admin).want(t, 500, "internal_error")

	// A copy that breaks off must not look like a whole one.
	write = func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
		return failing
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.admin.URL+"/admin/v1/backup", nil)
	must(t, err)
	admin(r)
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%d bytes came without an error", len(body))
	}
	if !strings.Contains(f.log.String(), "disk on fire") {
		t.Error("the log does not say why")
	}
}

// administered reads what administrators did from the journal.
func (f *fixture) administered(t *testing.T) (all []fact.Fact) {
	t.Helper()
	facts, _, err := f.store.Facts(t.Context(), 0, 1000)
	must(t, err)
	for _, fa := range facts {
		if fa.Kind == fact.Administered {
			all = append(all, fa)
		}
	}
	return all
}

func TestMetricsAndProfiles(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "canary-user")
	f.refresh(t, s.refresh).want(t, 200, "")
	f.call(t, "GET", "/canary-path", nil).want(t, 404, "")
	f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
	f.mint(t, "u2")
	must(t, f.facts.Read(t.Context()))
	text := string(f.callAdmin(t, "GET", "/metrics", nil).want(t, 200, "").body)
	for _, want := range []string{
		`issuer_http_requests_total{method="POST",route="/v1/sessions",status="2xx"} 2`,
		`issuer_http_requests_total{method="",route="",status="4xx"} 1`,
		`issuer_sessions_minted_total 2`,
		`issuer_refreshes_total{outcome="advanced"} 1`,
		`issuer_sessions_ended_total{reason="sign_out"} 1`,
		`issuer_sessions_live 1`,
		`issuer_signing_key_age_seconds{alg="ES256"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics have no %s", want)
		}
	}
	if strings.Contains(text, "canary") || strings.Contains(text, s.id) {
		t.Error("metrics name a user, a path or a session")
	}
	admin := bearer(serviceKey(client.ScopeAdmin))
	f.callAdmin(t, "GET", "/debug/pprof/", nil, admin).want(t, 200, "")
	f.callAdmin(t, "GET", "/debug/pprof/heap", nil, admin).want(t, 200, "")
	f.callAdmin(t, "GET", "/debug/pprof/cmdline", nil, admin).want(t, 404, "not_found")
	f.callAdmin(t, "GET", "/debug/pprof/", nil).want(t, 401, "token_invalid")
	f.call(t, "GET", "/debug/pprof/", nil, admin).want(t, 404, "not_found")
	f.call(t, "GET", "/metrics", nil).want(t, 404, "not_found")
}
