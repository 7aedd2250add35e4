package handlers_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

// TestEveryKindInEverySlot is rows T17 and R10: every kind of token and secret of the issuer is accepted in
// the places that are meant for it, and nowhere else.
func TestEveryKindInEverySlot(t *testing.T) {
	f := newBetterFixture(t, nil)
	s := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/session", nil, bearer(f.mint(t, "u2").access)).want(t, 204, "") // something for the feed
	cookies := f.call(t, "GET", "/api/auth/get-session", nil, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	snapshot := f.call(t, "GET", "/v1/revocations", nil, bearer(serviceKey(client.ScopeReadRevocations))).want(t, 200, "")
	kinds := map[string]string{
		"access token": s.access, "refresh token": s.refresh, "hand-off code": f.handoff(t, ""),
		"service key": serviceKey(client.ScopeMint), "session id": s.id,
		"cookie cache":           cookieValue(cookies, cacheCookie),
		"snapshot of revocation": string(snapshot.body),
		"unsigned twin":          s.access[:strings.LastIndexByte(s.access, '.')+1],
	}
	slots := map[string]struct {
		takes []string
		send  func(text string) answer
	}{
		"bearer": {[]string{"access token"}, func(text string) answer {
			return f.call(t, "GET", "/v1/session", nil, bearer(text))
		}},
		"access cookie": {[]string{"access token"}, func(text string) answer {
			return f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, text))
		}},
		"refresh body": {[]string{"refresh token"}, func(text string) answer { return f.refresh(t, text) }},
		"refresh cookie": {[]string{"refresh token"}, func(text string) answer {
			return f.call(t, "POST", "/v1/session/refresh", nil, fromIssuerPage(), cookie(refreshCookie, text))
		}},
		"sign-out": {nil, func(text string) answer { return f.call(t, "DELETE", "/v1/session", nil, bearer(text)) }}, // takes both, and they must live on
		"claim":    {nil, func(text string) answer { return f.claim(t, text, fromAppPage()) }},
		"service": {[]string{"service key"}, func(text string) answer {
			return f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u3"}}`, bearer(text))
		}},
		"admin": {nil, func(text string) answer {
			return f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(text))
		}},
		"better-auth bearer": {[]string{"access token", "refresh token"}, func(text string) answer { return f.call(t, "GET", "/api/auth/list-sessions", nil, bearer(text)) }},
		"better-auth cookie": {[]string{"refresh token"}, func(text string) answer {
			return f.call(t, "GET", "/api/auth/list-sessions", nil, cookie(refreshCookie, text))
		}},
	}
	for slot, at := range slots {
		for kind, text := range kinds {
			if slot == "sign-out" && (kind == "access token" || kind == "refresh token") || slot == "claim" && kind == "hand-off code" {
				continue // would use them up
			}
			f.advance(t, time.Second) // stay below the limit of failures
			a := at.send(text)
			taken := a.StatusCode < 300
			for _, k := range at.takes {
				if k == kind && !taken {
					t.Errorf("%s: a %s is refused: %d %s", slot, kind, a.StatusCode, a.body)
				} else if k == kind {
					taken = false
				}
			}
			if taken || a.StatusCode >= 500 || a.StatusCode == 429 {
				t.Errorf("%s: a %s is answered %d %s", slot, kind, a.StatusCode, a.body)
			}
		}
	}
	// Introspection recognises both kinds of tokens.
	for kind, text := range kinds {
		a := f.form(t, "/oauth/introspect", text, bearer(serviceKey(client.ScopeIntrospect))).want(t, 200, "")
		if want := kind == "access token" || kind == "refresh token"; a.at(t, "active") != want {
			t.Errorf("introspecting a %s: %s", kind, a.body)
		}
	}
}

// TestTwinOfAToken is row T07: anybody can make another valid text of an ES256 token. It ends with the
// session of the token.
func TestTwinOfAToken(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	input, signature := s.access[:strings.LastIndexByte(s.access, '.')+1], s.access[strings.LastIndexByte(s.access, '.')+1:]
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	must(t, err)
	mirrored := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(raw[32:]))
	twin := input + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw[:32]), mirrored.FillBytes(make([]byte, 32))...))
	if twin == s.access {
		t.Fatal("no twin")
	}
	f.call(t, "GET", "/v1/session", nil, bearer(twin), cookie(accessCookie, s.access)).want(t, 200, "") // one session
	f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
	f.call(t, "GET", "/v1/session", nil, bearer(twin)).want(t, 401, "session_revoked")
	f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, twin)).want(t, 401, "session_revoked")
	if a := f.form(t, "/oauth/introspect", twin, bearer(serviceKey(client.ScopeIntrospect))).want(t, 200, ""); a.at(t, "active") != false {
		t.Errorf("introspecting the twin: %s", a.body)
	}
}

// TestUserNamedLikeAClient is row T25: users, clients and administrators have separate names, and one is
// never taken for another.
func TestUserNamedLikeAClient(t *testing.T) {
	f := newFixture(t, nil)
	const clientID = "sessions-mint" // the name of the key that mints
	named, other := f.mint(t, clientID), f.mint(t, "u1")
	for _, name := range []string{"admin", "sessions-revoke", serviceKey(client.ScopeAdmin)} {
		s := f.mint(t, name)
		f.callAdmin(t, "GET", "/admin/v1/keys", nil, bearer(s.access)).want(t, 401, "token_invalid")
		f.call(t, "POST", "/v1/users/u1/revoke-sessions", nil, bearer(s.access)).want(t, 401, "token_invalid")
	}
	// Ending the user's sessions does not end those of the client of that name.
	f.call(t, "POST", "/v1/users/"+clientID+"/revoke-sessions", nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 200, "")
	f.call(t, "GET", "/v1/session", nil, bearer(named.access)).want(t, 401, "session_revoked")
	f.call(t, "GET", "/v1/session", nil, bearer(other.access)).want(t, 200, "")
	// And the other way around: there is no client called u1.
	f.callAdmin(t, "POST", "/admin/v1/revocations", `{"client_id":"u1"}`, bearer(serviceKey(client.ScopeAdmin))).want(t, 404, "not_found")
	f.call(t, "GET", "/v1/session", nil, bearer(other.access)).want(t, 200, "")
	// A backend cannot set the claim that names the client.
	f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"claims":{"client_id":"admin"}}`, bearer(serviceKey(client.ScopeMint))).
		want(t, 400, "invalid_request")
}

// TestForgedTokensNeverReachTheStore is row R07: guesses are refused by their authentication tag.
func TestForgedTokensNeverReachTheStore(t *testing.T) {
	counted := &countingStore{reads: map[string]int{}}
	f := newFixture(t, func(s *settings) {
		counted.Store = s.sessions.Store
		s.sessions.Store = counted
	})
	s := f.mint(t, "u1")
	raw, err := base64.RawURLEncoding.DecodeString(s.refresh[3:])
	must(t, err)
	guesses := []string{"", "rt_", s.refresh[:40], s.refresh + "A", s.refresh[3:], "rt_" + strings.Repeat("A", 64)}
	for bit := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		guesses = append(guesses, "rt_"+base64.RawURLEncoding.EncodeToString(flipped))
	}
	counted.reset()
	for _, guess := range guesses {
		f.advance(t, time.Second)
		a := f.refresh(t, guess)
		if a.want(t, 401, "refresh_token_invalid"); len(counted.reset()) != 0 {
			t.Fatalf("%q has reached the store", guess)
		}
	}
	f.refresh(t, s.refresh).want(t, 200, "")
	if len(counted.reset()) == 0 {
		t.Error("nothing is counted")
	}
}

// TestRefreshWidensNothing is row R09: a refresh cannot get more than the sign-in did.
func TestRefreshWidensNothing(t *testing.T) {
	f := newFixture(t, nil)
	a := f.call(t, "POST", "/v1/sessions", `{"user":{"id":"u1"},"audience":["https://api.example"],"claims":{"role":"reader"},"amr":["pwd"]}`,
		bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	refresh := a.text(t, "refresh_token")
	for _, more := range []string{`"scope":"read write"`, `"audience":["https://other.example"]`, `"resource":"https://other.example"`, `"claims":{"role":"root"}`, `"acr":"high"`} {
		a := f.call(t, "POST", "/v1/session/refresh", `{"refresh_token":"`+refresh+`",`+more+`}`).want(t, 400, "invalid_request")
		if field := a.text(t, "field"); !strings.HasPrefix(more, `"`+field+`"`) || field == "" {
			t.Errorf("%s: the field is %q", more, field)
		}
	}
	for _, query := range []string{"?scope=write", "?audience=https://other.example"} {
		a := f.call(t, "POST", "/v1/session/refresh"+query, map[string]string{"refresh_token": refresh}).want(t, 200, "")
		refresh = a.text(t, "refresh_token")
		got := f.form(t, "/oauth/introspect", a.text(t, "access_token"), bearer(serviceKey(client.ScopeIntrospect))).want(t, 200, "")
		if aud, _ := got.at(t, "aud").([]any); len(aud) != 1 || aud[0] != "https://api.example" || got.text(t, "role") != "reader" || got.at(t, "acr") != nil {
			t.Errorf("after a refresh: %s", got.body)
		}
		f.advance(t, time.Minute)
	}
}
