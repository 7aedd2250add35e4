//go:build linux

package crashtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// api calls one run of the issuer.
type api struct {
	http               *http.Client
	public, admin, key string
	// onMoment is called before each request is sent and after each answer has arrived. A
	// test breaks something at such a moment. It may be nil.
	onMoment func()
}

func newAPI(public, admin, key string) *api {
	return &api{
		http: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
			Timeout:   testTimeout,
		},
		public: public, admin: admin, key: key,
	}
}

func (a *api) close() { a.http.CloseIdleConnections() }

// reply is the outcome of a request.
type reply struct {
	err    error // why there is no complete answer: the request may have taken effect
	status int
	header http.Header
	answer
}

// answer is the JSON of an answer, as far as the tests read it.
type answer struct {
	Code     string        `json:"code"`
	Session  sessionJSON   `json:"session"`
	Sessions []sessionJSON `json:"sessions"`
	Access   string        `json:"access_token"`
	Refresh  string        `json:"refresh_token"`
	Revoked  int           `json:"revoked"`
	Active   bool          `json:"active"`
}

type sessionJSON struct {
	ID        string    `json:"id"`
	EndedAt   time.Time `json:"ended_at"`
	EndReason string    `json:"end_reason"`
}

// inconclusive reports whether the request may or may not have taken effect.
func (r reply) inconclusive() bool { return r.err != nil || r.status == http.StatusServiceUnavailable }

// is reports whether the answer is a refusal with this code.
func (r reply) is(code string) bool {
	return r.err == nil && r.status == http.StatusUnauthorized && r.Code == code
}

func (r reply) String() string {
	if r.err != nil {
		return fmt.Sprintf("no answer (%v)", r.err)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, r.Code))
}

// call sends a request to the public listener and reads the whole answer.
func (a *api) call(method, path, bearer, body string) reply {
	req, err := http.NewRequest(method, a.public+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/oauth/") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	a.reportMoment()
	defer a.reportMoment()
	res, err := a.http.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{err: err}
	}
	r := reply{status: res.StatusCode, header: res.Header}
	if text = bytes.TrimSpace(text); len(text) > 0 {
		if err := json.Unmarshal(text, &r.answer); err != nil {
			r.Code = fmt.Sprintf("with a body that is no JSON: %.100q", text)
		}
	}
	return r
}

func (a *api) reportMoment() {
	if a.onMoment != nil {
		a.onMoment()
	}
}

func (a *api) mint(user string) reply {
	return a.call("POST", "/v1/sessions", a.key, fmt.Sprintf(`{"user": {"id": %q}}`, user))
}

func (a *api) refresh(token string) reply {
	return a.call("POST", "/v1/session/refresh", "", fmt.Sprintf(`{"refresh_token": %q}`, token))
}

// current asks for the session of an access token.
func (a *api) current(access string) reply { return a.call("GET", "/v1/session", access, "") }

// signOut signs out by an access token or a refresh token.
func (a *api) signOut(token string) reply { return a.call("DELETE", "/v1/session", token, "") }

// revoke ends a session, for the backend.
func (a *api) revoke(id string) reply { return a.call("DELETE", "/v1/sessions/"+id, a.key, "") }

// show reads a session, live or ended.
func (a *api) show(id string) reply { return a.call("GET", "/v1/sessions/"+id, a.key, "") }

// list reads the live sessions of a user.
func (a *api) list(user string) reply {
	return a.call("GET", "/v1/sessions?user_id="+user, a.key, "")
}

// revokeUser ends all sessions of a user, for the backend.
func (a *api) revokeUser(user string) reply {
	return a.call("POST", "/v1/users/"+user+"/revoke-sessions", a.key, "")
}

// revokeAll and revokeOthers end sessions of an access token's user.
func (a *api) revokeAll(access string) reply {
	return a.call("POST", "/v1/sessions/revoke-all", access, "")
}

func (a *api) revokeOthers(access string) reply {
	return a.call("POST", "/v1/sessions/revoke-others", access, "")
}
