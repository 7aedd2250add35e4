package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
)

// TestOneCredential is row T33.
func TestOneCredential(t *testing.T) {
	f := newFixture(t, nil)
	s, other := f.mint(t, "u1"), f.mint(t, "u2")
	dead := f.mint(t, "u3")
	f.call(t, "DELETE", "/v1/session", nil, bearer(dead.access)).want(t, 204, "")
	auth := func(v string) option { return header("Authorization", v) }
	for _, tt := range []struct {
		name    string
		path    string
		options []option
		status  int
		code    string
	}{
		{"bearer", "", []option{bearer(s.access)}, 200, ""},
		{"scheme in another case", "", []option{auth("bEARER " + s.access)}, 200, ""},
		{"cookie", "", []option{cookie(accessCookie, s.access)}, 200, ""},
		{"bearer and cookie of one session", "", []option{bearer(s.access), cookie(accessCookie, s.access)}, 200, ""},
		{"bearer and a dead cookie", "", []option{bearer(s.access), cookie(accessCookie, dead.access)}, 200, ""},
		{"bearer and cookie that differ", "", []option{bearer(s.access), cookie(accessCookie, other.access)}, 400, "invalid_request"},
		{"two headers", "", []option{auth("Bearer " + s.access), auth("Bearer " + s.access)}, 400, "invalid_request"},
		{"two schemes in two headers", "", []option{auth("Bearer " + s.access), auth("Basic eDp5")}, 400, "invalid_request"},
		{"two schemes in one header", "", []option{auth("Bearer " + s.access + ", Basic eDp5")}, 400, "invalid_request"},
		{"a tab", "", []option{auth("Bearer\t" + s.access)}, 400, "invalid_request"},
		{"two spaces", "", []option{auth("Bearer  " + s.access)}, 400, "invalid_request"},
		{"two words", "", []option{auth("Bearer " + s.access + " x")}, 400, "invalid_request"},
		{"no token", "", []option{auth("Bearer")}, 400, "invalid_request"},
		{"query", "?access_token=" + s.access, nil, 400, "invalid_request"},
		{"query and header", "?access_token=" + s.access, []option{bearer(s.access)}, 400, "invalid_request"},
		{"another scheme", "", []option{auth("Basic eDp5")}, 401, "token_invalid"},
		{"nothing", "", nil, 401, "token_invalid"},
		{"a refresh token", "", []option{bearer(s.refresh)}, 401, "token_invalid"},
		{"a refresh token in the access cookie", "", []option{cookie(accessCookie, s.refresh)}, 401, "token_invalid"},
		{"a service key", "", []option{bearer(serviceKey(client.ScopeAdmin))}, 401, "token_invalid"},
		{"a damaged token", "", []option{bearer(damaged(s.access))}, 401, "token_invalid"},
		{"padding", "", []option{bearer(s.access + "=")}, 401, "token_invalid"},
		{"a quote", "", []option{bearer(`"` + s.access + `"`)}, 401, "token_invalid"},
		{"9,000 bytes", "", []option{bearer(strings.Repeat("A", 9000))}, 401, "token_invalid"},
		{"an ended session", "", []option{bearer(dead.access)}, 401, "session_revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := f.call(t, "GET", "/v1/session"+tt.path, nil, tt.options...).want(t, tt.status, tt.code)
			challenge := a.Header.Get("WWW-Authenticate")
			if (tt.status == 401) != strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
		})
	}
	a := f.call(t, "GET", "/v1/session", nil)
	if got := a.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("without a credential the challenge is %q, want no error in it (RFC 6750 §3)", got)
	}
	a = f.call(t, "GET", "/v1/session", nil, bearer("x"))
	if got := a.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer error="invalid_token"`) {
		t.Errorf("with a bad one it is %q", got)
	}
}

// damaged returns a token whose signature differs in one character.
func damaged(token string) string {
	i := len(token) - 10
	if token[i] == 'A' {
		return token[:i] + "B" + token[i+1:]
	}
	return token[:i] + "A" + token[i+1:]
}

// TestRefreshCredentials is T33 and R10 for the refresh token.
func TestRefreshCredentials(t *testing.T) {
	f := newFixture(t, nil)
	s, other := f.mint(t, "u1"), f.mint(t, "u2")
	f.refresh(t, s.refresh, cookie(refreshCookie, other.refresh), fromIssuerPage()).want(t, 400, "invalid_request")
	f.refresh(t, s.refresh, cookie(refreshCookie, s.refresh)).want(t, 200, "")
	f.refresh(t, s.refresh, cookie(refreshCookie, "rt_dead")).want(t, 200, "")
	f.refresh(t, s.access).want(t, 401, "refresh_token_invalid")
	f.call(t, "POST", "/v1/session/refresh", nil, bearer(s.refresh)).want(t, 401, "refresh_token_invalid")
	f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, s.access), fromIssuerPage()).want(t, 401, "refresh_token_invalid")
	f.call(t, "POST", "/v1/session/refresh?refresh_token="+s.refresh, nil).want(t, 400, "invalid_request")
	// A page may attach its access token to every request.
	f.refresh(t, s.refresh, bearer(s.access)).want(t, 200, "")
}

// TestEnds: each end of a session has a code of its own.
func TestEnds(t *testing.T) {
	f := newFixture(t, nil)
	t.Run("idle", func(t *testing.T) {
		s := f.mint(t, "u1")
		f.advance(t, 8*24*time.Hour)
		f.refresh(t, s.refresh).want(t, 401, "session_idle")
	})
	t.Run("expired", func(t *testing.T) {
		s := f.mint(t, "u1")
		for range 6 {
			f.advance(t, 5*24*time.Hour-time.Hour)
			s.refresh = f.refresh(t, s.refresh).want(t, 200, "").text(t, "refresh_token")
		}
		f.advance(t, 7*time.Hour)
		f.refresh(t, s.refresh).want(t, 401, "session_expired")
	})
	t.Run("access token expired", func(t *testing.T) {
		s := f.mint(t, "u1")
		f.advance(t, 6*time.Minute)
		a := f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "token_expired")
		if !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("WWW-Authenticate: %q", a.Header.Get("WWW-Authenticate"))
		}
	})
}

// TestSignOut is the HTTP part of row R15.
func TestSignOut(t *testing.T) {
	f := newFixture(t, nil)
	for name, by := range map[string]func(tokens) []option{
		"access token":   func(s tokens) []option { return []option{bearer(s.access)} },
		"refresh token":  func(s tokens) []option { return []option{bearer(s.refresh)} },
		"refresh cookie": func(s tokens) []option { return []option{cookie(refreshCookie, s.refresh), fromIssuerPage()} },
		"access cookie":  func(s tokens) []option { return []option{cookie(accessCookie, s.access), fromIssuerPage()} },
		"both cookies": func(s tokens) []option {
			return []option{cookie(accessCookie, s.access), cookie(refreshCookie, s.refresh), fromIssuerPage()}
		},
		"bearer and cookie": func(s tokens) []option { return []option{bearer(s.access), cookie(refreshCookie, s.refresh)} },
		"dead bearer and cookie": func(s tokens) []option {
			return []option{bearer("x.y.z"), cookie(refreshCookie, s.refresh), fromIssuerPage()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := f.mint(t, "u1")
			a := f.call(t, "DELETE", "/v1/session", nil, by(s)...).want(t, 204, "")
			if !cleared(a) {
				t.Errorf("Set-Cookie: %v", a.Header["Set-Cookie"])
			}
			f.call(t, "DELETE", "/v1/session", nil, by(s)...).want(t, 204, "")
			f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 401, "session_revoked")
			f.call(t, "GET", "/v1/session", nil, cookie(accessCookie, s.access)).want(t, 401, "session_revoked")
			f.refresh(t, s.refresh).want(t, 401, "session_revoked")
		})
	}
	s := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/session", nil).want(t, 401, "token_invalid")
	f.call(t, "DELETE", "/v1/session", nil, bearer("x.y.z")).want(t, 401, "token_invalid")
	f.call(t, "DELETE", "/v1/session", nil, bearer("rt_x")).want(t, 401, "refresh_token_invalid")
	f.call(t, "DELETE", "/v1/session", nil, bearer(damaged(s.access))).want(t, 401, "token_invalid")
	f.call(t, "GET", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
	if a := f.refresh(t, s.refresh); a.StatusCode != http.StatusOK {
		t.Errorf("refused sign-outs have ended the session: %s", a.body)
	}
}
