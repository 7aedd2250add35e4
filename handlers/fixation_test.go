package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"issuer.example/client"
)

// TestFixation is row R11: whatever is planted before a sign-in, the sign-in creates a new session with new
// tokens.
func TestFixation(t *testing.T) {
	f := newFixture(t, nil)
	planted := f.mint(t, "attacker")
	body := func(more map[string]any) map[string]any {
		b := map[string]any{"user": map[string]any{"id": "victim"}}
		for name, value := range more {
			b[name] = value
		}
		return b
	}
	cookies := []option{cookie(refreshCookie, planted.refresh), cookie(accessCookie, planted.access), fromIssuerPage()}
	headers := []option{
		header("X-Session-Id", planted.id), header("X-Refresh-Token", planted.refresh),
		header("Refresh-Token", planted.refresh), header("Session", planted.id),
	}
	seen := map[string]bool{planted.id: true}
	for name, tt := range map[string]struct {
		query   string
		body    map[string]any
		options []option
	}{
		"cookies":              {"", body(nil), cookies},
		"headers":              {"", body(nil), headers},
		"query":                {"?sid=" + planted.id + "&session_id=" + planted.id + "&id=" + planted.id, body(nil), nil},
		"cookies, transport":   {"?transport=cookie", body(nil), cookies},
		"cookies, hand-off":    {"", body(map[string]any{"handoff": true}), cookies},
		"headers, hand-off":    {"", body(map[string]any{"handoff": true}), headers},
		"its id as a label":    {"", body(map[string]any{"label": planted.id}), nil},
		"its id as an address": {"", body(map[string]any{"user_agent": planted.id}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			key := bearer(serviceKey(client.ScopeMint))
			a := f.call(t, "POST", "/v1/sessions"+tt.query, tt.body, append(tt.options, key)...).want(t, 201, "")
			if code := a.text(t, "handoff_code"); code != "" {
				if strings.Contains(code, planted.refresh[3:]) {
					t.Error("the code holds the planted token")
				}
				// The browser that claims it has the planted cookies, too.
				a = f.claim(t, code, append(tt.options[:len(tt.options):len(tt.options)], fromAppPage())...).want(t, 200, "")
			}
			id := a.text(t, "session.id")
			if seen[id] || a.text(t, "session.user_id") != "victim" {
				t.Errorf("the session: %s", a.body)
			}
			seen[id] = true
			for _, text := range []string{a.text(t, "access_token"), a.text(t, "refresh_token"), cookieValue(a, refreshCookie), cookieValue(a, accessCookie)} {
				if text == planted.access || text == planted.refresh {
					t.Error("a planted token is handed out")
				}
			}
		})
	}
	// A field of the body that names a session or a token is refused.
	for _, field := range []string{"id", "sid", "session", "session_id", "refresh_token", "access_token", "session_token"} {
		f.call(t, "POST", "/v1/sessions", body(map[string]any{field: planted.id}), bearer(serviceKey(client.ScopeMint))).
			want(t, 400, "invalid_request")
	}
	for _, claim := range []string{"sid", "SID", "jti"} {
		claims := map[string]any{claim: planted.id}
		f.call(t, "POST", "/v1/sessions", body(map[string]any{"claims": claims}), bearer(serviceKey(client.ScopeMint))).
			want(t, 400, "invalid_request")
	}
	for _, query := range []string{"refresh_token", "access_token", "token"} {
		f.call(t, "POST", "/v1/sessions?"+query+"="+planted.refresh, body(nil), bearer(serviceKey(client.ScopeMint))).
			want(t, 400, "invalid_request")
	}
	// The planted session still belongs to the attacker's user, and has not changed.
	a := f.call(t, "GET", "/v1/session", nil, bearer(planted.access)).want(t, 200, "")
	if a.text(t, "user.id") != "attacker" {
		t.Errorf("the planted session: %s", a.body)
	}
	var list struct {
		Sessions []json.RawMessage `json:"sessions"`
	}
	a = f.call(t, "GET", "/v1/sessions", nil, bearer(planted.access)).want(t, 200, "")
	must(t, json.Unmarshal(a.body, &list))
	if len(list.Sessions) != 1 {
		t.Errorf("the attacker has %d sessions", len(list.Sessions))
	}
}

func cookieValue(a answer, name string) string {
	if c, ok := a.cookie(name); ok {
		return c.Value
	}
	return ""
}
