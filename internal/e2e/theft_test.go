package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"issuer.example/guard"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
	"issuer.example/store/bolt"
)

// thief returns a key manager over a stolen backup, with the stolen secret.
func (i *issuer) thief() *keys.Manager {
	i.t.Helper()
	if r := i.cli("backup", "--out", "stolen.db"); r.code != 0 {
		i.t.Fatal(r.stderr)
	}
	db, err := bolt.Open(i.t.Context(), bolt.Config{Path: filepath.Join(i.dir, "stolen.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = db.Close() })
	kek, err := secret.Parse(i.file("data/issuer.secret"))
	if err != nil {
		i.t.Fatal(err)
	}
	manager, err := keys.Open(i.t.Context(), keys.Config{Store: db, Secrets: []secret.Secret{kek}})
	if err != nil {
		i.t.Fatal(err)
	}
	return manager
}

// forge returns a signed token whose session id is the highest possible: no mark covers it.
func forge(t *testing.T, by *keys.Manager, like string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(like, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["sid"] = json.RawMessage(`"ffffffff-ffff-7fff-bfff-ffffffffffff"`)
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	token, _, err := by.Sign(jwt.TypeAccessToken, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var header struct {
		KeyID string `json:"kid"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	return header.KeyID
}

// slowKeys delays the answers with the keys while held is set.
type slowKeys struct {
	next    http.RoundTripper
	held    atomic.Bool
	release chan struct{}
}

func (s *slowKeys) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := s.next.RoundTrip(r)
	if strings.HasSuffix(r.URL.Path, "/revocations/keys") && s.held.Load() {
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
	}
	return res, err
}

// Tokens that are forged with a stolen signing key are refused by every guard as soon as the
// key is revoked, also by a guard that is fetching the keys at that moment.
func TestStolenKey(t *testing.T) {
	i := startDev(t, t.TempDir())
	good := i.mint("u1")
	forged := forge(t, i.thief(), good.AccessToken)
	// The next key is published already, so that the guard needs no fetch to know it.
	if r := i.cli("keys", "rotate"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	slow := &slowKeys{next: i.transport(), release: make(chan struct{})}
	g := i.guard(slow)
	if _, err := g.Verify(t.Context(), forged); err != nil {
		t.Fatalf("the thief's token is none: %v", err)
	}
	slow.held.Store(true)
	if r := i.cli("keys", "revoke", kidOf(t, good.AccessToken), "--reason", "stolen"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	await(t, "everything to be revoked", func() bool {
		_, err := g.Verify(t.Context(), good.AccessToken)
		return errors.Is(err, guard.ErrRevoked)
	})
	slow.held.Store(false)
	close(slow.release)
	await(t, "the key to be gone", func() bool {
		_, err := g.Verify(t.Context(), forged)
		return errors.Is(err, jwt.ErrUnknownKey)
	})
	if _, err := g.Verify(t.Context(), i.mint("u1").AccessToken); err != nil {
		t.Errorf("the next session: %v", err)
	}
}

// refreshAs redeems a refresh token from a browser.
func (i *issuer) refreshAs(token, browser string) (grant, int) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), "POST", i.public+"/v1/session/refresh",
		strings.NewReader(`{"refresh_token": "`+token+`"}`))
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", browser)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var g grant
	if err := json.NewDecoder(res.Body).Decode(&g); err != nil {
		i.t.Fatal(err)
	}
	return g, res.StatusCode
}

// A thief who redeems his copy at once when the victim has refreshed, from another browser, is
// noticed by the third generation, 8 of 8 times; and the operator can tell the two apart.
func TestThiefInStep(t *testing.T) {
	const victimAgent, thiefAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "python-requests/2.31.0"
	i := startDev(t, t.TempDir())
	for run := range 8 {
		victim := i.mint("u1")
		thief, status := victim, http.StatusOK
		for range 3 {
			if victim, status = i.refreshAs(victim.RefreshToken, victimAgent); status != http.StatusOK {
				t.Fatalf("run %d: the victim was refused first: %d", run, status)
			}
			if thief, status = i.refreshAs(thief.RefreshToken, thiefAgent); status != http.StatusOK {
				break
			}
		}
		if status != http.StatusUnauthorized || thief.Code != "refresh_token_reused" {
			t.Fatalf("run %d: after three generations the thief gets %d %s", run, status, thief.Code)
		}
		if g, status := i.refreshAs(victim.RefreshToken, victimAgent); status != http.StatusUnauthorized || g.Code != "session_revoked" {
			t.Errorf("run %d: the victim gets %d %s", run, status, g.Code)
		}
		shown := i.cli("session", "show", victim.Session.ID).stdout
		for _, want := range []string{
			"refresh_reuse", "generation 3 from 127.0.0.1, " + victimAgent, "generation 3 from 127.0.0.1, " + thiefAgent,
		} {
			if !strings.Contains(shown, want) {
				t.Errorf("run %d: session show does not say %q:\n%s", run, want, shown)
			}
		}
	}
}
