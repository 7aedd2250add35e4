package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
)

// backend is a service key with the scopes of a backend.
var backend = "sk_" + strings.Repeat("b", 43)

// stepped is a running server whose clock the test steps. Only the server's reading of the clock
// is stepped: the clock of the system is shared, and time namespaces do not cover it.
type stepped struct {
	*server.Server

	offset atomic.Int64 // of the clock, in nanoseconds
}

func startStepped(t *testing.T) *stepped {
	t.Helper()
	sum := sha256.Sum256([]byte(backend))
	s := &stepped{}
	s.Server, _ = run(t, func(c *config.Config) {
		c.ServiceKeys = []config.ServiceKey{{
			Name: "app", SHA256: hex.EncodeToString(sum[:]), Scopes: []string{"sessions:mint", "sessions:revoke", "tokens:introspect"},
		}}
	}, func() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) })
	return s
}

// grant is the answer to a mint or a refresh.
type grant struct {
	Session struct {
		ID string `json:"id"`
	} `json:"session"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Code    string `json:"code"`
}

func call(t *testing.T, address net.Addr, method, path, bearer, body string) (g grant, status int) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+address.String()+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return g, 0
	}
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return g, 0
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	_ = json.Unmarshal(text, &g) // some answers are empty
	return g, res.StatusCode
}

func (s *stepped) mint(t *testing.T) grant {
	t.Helper()
	g, status := call(t, s.PublicAddr(), "POST", "/v1/sessions", backend, `{"user":{"id":"u1"}}`)
	if status != http.StatusCreated {
		t.Errorf("mint: %d %s", status, g.Code)
	}
	return g
}

func (s *stepped) refresh(t *testing.T, token string) (grant, int) {
	t.Helper()
	return call(t, s.PublicAddr(), "POST", "/v1/session/refresh", "", `{"refresh_token":"`+token+`"}`)
}

// issuedAt returns the iat of an access token.
func issuedAt(t *testing.T, token string) int64 {
	t.Helper()
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	var claims struct {
		IssuedAt int64 `json:"iat"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		t.Errorf("the access token: %v", err)
	}
	return claims.IssuedAt
}

// client refreshes as fast as it can.
type client struct {
	rounds atomic.Int64
	round  chan struct{} // receives after a round
}

// run refreshes until stop is closed, and checks that the client is never refused and that
// none of its tokens is older than the one before.
func (c *client) run(t *testing.T, s *stepped, g grant, stop <-chan struct{}) {
	for last := issuedAt(t, g.Access); ; {
		select {
		case <-stop:
			return
		default:
		}
		next, status := s.refresh(t, g.Refresh)
		if status != http.StatusOK {
			t.Errorf("refresh: %d %s", status, next.Code)
		} else if at := issuedAt(t, next.Access); at < last {
			t.Errorf("issued at %d, after %d", at, last)
		} else {
			g, last = next, at
		}
		c.rounds.Add(1)
		select {
		case c.round <- struct{}{}:
		default:
		}
	}
}

// await waits until the client has done that many more rounds.
func (c *client) await(n int64) {
	for until := c.rounds.Load() + n; c.rounds.Load() < until; {
		<-c.round
	}
}

// O12, T22: the clock is stepped forwards and back by an hour while clients refresh. No client is
// refused or gets a token that is older than its last one, new sessions can be used at once, and
// revoked sessions stay revoked.
func TestClockIsSteppedWhileRunning(t *testing.T) {
	t.Parallel()
	s := startStepped(t)
	var (
		stop    = make(chan struct{})
		clients [8]*client
		running sync.WaitGroup
	)
	for i := range clients {
		clients[i] = &client{round: make(chan struct{}, 1)}
		g := s.mint(t)
		running.Go(func() { clients[i].run(t, s, g, stop) })
	}
	defer running.Wait()
	defer close(stop)

	dead, newest := s.mint(t), ""
	if _, status := call(t, s.PublicAddr(), "DELETE", "/v1/sessions/"+dead.Session.ID, backend, ""); status != http.StatusNoContent {
		t.Errorf("revoke: %d", status)
	}
	for _, step := range []time.Duration{0, time.Hour, -2 * time.Hour, time.Hour, -time.Hour, time.Hour} {
		s.offset.Add(int64(step))
		for _, c := range clients {
			c.await(3)
		}
		if _, status := s.refresh(t, dead.Refresh); status != http.StatusUnauthorized {
			t.Errorf("after a step of %v a revoked session is refreshed: %d", step, status)
		}
		fresh := s.mint(t)
		if fresh.Session.ID <= newest {
			t.Errorf("after a step of %v session %s follows %s", step, fresh.Session.ID, newest)
		}
		newest = fresh.Session.ID
		if _, status := call(t, s.PublicAddr(), "GET", "/v1/session", fresh.Access, ""); status != http.StatusOK {
			t.Errorf("after a step of %v a new token is answered %d", step, status)
		}
		if status := get(t, s.PublicAddr(), "/readyz"); status != http.StatusOK {
			t.Errorf("after a step of %v it is not ready: %d", step, status)
		}
	}
}
