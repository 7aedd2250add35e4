package handlers_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCallerTable goes through the table of package credential: what may stand beside what, in each place
// that accepts an explicit token and cookies.
func TestCallerTable(t *testing.T) {
	t.Parallel()
	f := newBetterFixture(t, nil)
	access := func(s tokens) string { return s.access }
	refresh := func(s tokens) string { return s.refresh }
	for place, at := range map[string]struct {
		explicit, cookie func(tokens) string
		send             func(explicit string, cookies []string) answer
	}{
		"v1": {access, access, func(explicit string, cookies []string) answer {
			return f.call(t, "GET", "/v1/session", nil, presented(accessCookie, explicit, cookies)...)
		}},
		"refresh": {refresh, refresh, func(explicit string, cookies []string) answer {
			body := map[string]string{"refresh_token": explicit}
			return f.call(t, "POST", "/v1/session/refresh", body, append(presented(refreshCookie, "", cookies), fromIssuerPage())...)
		}},
		"better-auth": {access, refresh, func(explicit string, cookies []string) answer {
			return f.call(t, "GET", "/api/auth/list-sessions", nil, presented(refreshCookie, explicit, cookies)...)
		}},
	} {
		for _, explicit := range []string{"", "own", "forged", "ended"} {
			for _, cookies := range []string{
				"", "own", "forged", "ended", "own forged", "forged own", "ended own", "forged ended",
				"other", "own other", "other own forged",
			} {
				f.advance(t, time.Second) // stay below the limit of failures
				mine, other, ended := f.mint(t, "u1"), f.mint(t, "u2"), f.mint(t, "u3")
				f.call(t, "DELETE", "/v1/session", nil, bearer(ended.access)).want(t, 204, "")
				text := func(of func(tokens) string, who string) string {
					return map[string]string{"own": of(mine), "other": of(other), "ended": of(ended), "forged": "rt_x", "": ""}[who]
				}
				var values []string
				for who := range strings.FieldsSeq(cookies) {
					values = append(values, text(at.cookie, who))
				}
				a := at.send(text(at.explicit, explicit), values)
				status := wantedOfCaller(explicit, strings.Fields(cookies))
				if a.StatusCode != status {
					t.Errorf("%s: %q beside the cookies %q: %d, want %d: %s", place, explicit, cookies, a.StatusCode, status, a.body)
				}
				if status == 400 && len(a.Cookies()) != 0 {
					t.Errorf("%s: %q beside the cookies %q: Set-Cookie: %v", place, explicit, cookies, a.Header["Set-Cookie"])
				}
			}
		}
	}
}

// presented are the options of a bearer token, if there is one, and cookies of one name.
func presented(name, token string, values []string) []option {
	var options []option
	if token != "" {
		options = append(options, bearer(token))
	}
	for _, value := range values {
		options = append(options, cookie(name, value))
	}
	return options
}

// wantedOfCaller is the table: the status of the answer. A 400 clears nothing that may be the user's own.
func wantedOfCaller(explicit string, cookies []string) int {
	own, other := slices.Contains(cookies, "own"), slices.Contains(cookies, "other")
	switch {
	case explicit == "own" && other:
		return 400
	case explicit == "own":
		return 200
	case explicit != "":
		return 401
	case own && other:
		return 400
	case own || other:
		return 200
	}
	return 401
}

// TestCookiesAreReadOnce: many cookies of one name cost one look-up each, and the redemption.
func TestCookiesAreReadOnce(t *testing.T) {
	counted := &countingStore{reads: map[string]int{}}
	f := newFixture(t, func(s *settings) {
		counted.Store = s.sessions.Store
		s.sessions.Store = counted
	})
	const n = 8
	options := []option{fromIssuerPage()}
	for range n {
		s := f.mint(t, "u1")
		f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
		options = append(options, cookie(refreshCookie, s.refresh))
	}
	counted.reset()
	f.call(t, "POST", "/v1/session/refresh", nil, options...).want(t, 401, "session_revoked")
	if reads := counted.reset(); reads["View"]+reads["Update"] > n+1 {
		t.Errorf("%d cookies cost %v", n, reads)
	}
}
