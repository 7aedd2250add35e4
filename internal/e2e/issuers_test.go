package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/internal/pgtest"
	"issuer.example/store/postgres"
)

// startTwo starts two issuers on one database.
func startTwo(t *testing.T, environ ...string) (a, b *issuer) {
	t.Helper()
	server := pgtest.Shared(t)
	dsn := server.DSN(server.NewDatabase(t))
	if _, err := postgres.Migrate(t.Context(), postgres.Config{DSN: dsn}, 0); err != nil {
		t.Fatal(err)
	}
	environ = append([]string{"ISSUER_STORE_DRIVER=postgres", "ISSUER_STORE_DSN=" + dsn}, environ...)
	dir := t.TempDir() // the second finds the keys and the secret of the first
	return startDev(t, dir, environ...), startDev(t, dir, environ...)
}

// Two processes on one database: what begins at one goes on at the other, request by request.
func TestTwoIssuersTakeTurnsPostgres(t *testing.T) {
	t.Parallel()
	a, b := startTwo(t)
	g := a.mint("u1")
	for range 5 {
		for _, at := range []*issuer{b, a} {
			next, status := at.refresh(g.RefreshToken)
			if status != http.StatusOK {
				t.Fatalf("refresh: %d %s", status, next.Code)
			}
			g.AccessToken, g.RefreshToken = next.AccessToken, next.RefreshToken
		}
	}
	var handoff struct {
		Code string `json:"handoff_code"`
	}
	if status := a.call("POST", "/v1/sessions", a.serviceKey(), `{"user":{"id":"u1"},"handoff":true}`, &handoff); status != http.StatusCreated {
		t.Fatalf("mint for a hand-off: %d", status)
	}
	req, err := http.NewRequest(http.MethodPost, b.public+"/v1/session/claim", strings.NewReader(fmt.Sprintf(`{"handoff_code":%q}`, handoff.Code)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "http://localhost:8080")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		t.Errorf("claim: %s", res.Status)
	}
	var list struct {
		Sessions []json.RawMessage `json:"sessions"`
	}
	if status := a.call("GET", "/v1/sessions", g.AccessToken, "", &list); status != http.StatusOK || len(list.Sessions) != 2 {
		t.Errorf("list: %d, %d sessions", status, len(list.Sessions))
	}
	if status := b.call("DELETE", "/v1/sessions/"+g.Session.ID, b.serviceKey(), "", nil); status != http.StatusNoContent {
		t.Errorf("revoke: %d", status)
	}
	if refused, status := a.refresh(g.RefreshToken); status != http.StatusUnauthorized || refused.Code != "session_revoked" {
		t.Errorf("refresh of a revoked session: %d %s", status, refused.Code)
	}
}

// A revocation that one issuer has acknowledged before it was killed reaches the verifiers of the other,
// and each lists the verifiers of both.
func TestIssuerDiesAfterARevocationPostgres(t *testing.T) {
	t.Parallel()
	for name, environ := range map[string][]string{
		"listen": {"ISSUER_STORE_NOTIFY=listen"},
		"poll":   {"ISSUER_STORE_NOTIFY=poll", "ISSUER_STORE_POLL_INTERVAL=100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := startTwo(t, environ...)
			g := b.guard(b.transport())
			for _, at := range []*issuer{a, b} {
				await(t, "each to list the guard", func() bool {
					return strings.Contains(at.verifiers(), `"verifier":"orders","client":"dev-service","connected":true`)
				})
			}
			s := a.mint("u1")
			if _, err := g.Verify(t.Context(), s.AccessToken); err != nil {
				t.Fatal(err)
			}
			if status := a.call("DELETE", "/v1/sessions/"+s.Session.ID, a.serviceKey(), "", nil); status != http.StatusNoContent {
				t.Fatalf("revoke: %d", status)
			}
			a.signal(syscall.SIGKILL)
			await(t, "the revocation to be applied", func() bool {
				_, err := g.Verify(t.Context(), s.AccessToken)
				return errors.Is(err, guard.ErrRevoked)
			})
			a.wait()
		})
	}
}

// An emergency at one issuer: the other neither signs with the key nor publishes it a second later.
func TestEmergencyAtAnotherIssuerPostgres(t *testing.T) {
	t.Parallel()
	for _, notify := range []string{"listen", "poll"} {
		t.Run(notify, func(t *testing.T) {
			t.Parallel()
			a, b := startTwo(t, "ISSUER_STORE_NOTIFY="+notify)
			stolen := b.jwks().Keys()[0].ID
			if done := a.cli("keys", "revoke", stolen, "--reason", "stolen"); done.code != 0 {
				t.Fatalf("revoke: %s", done.stderr)
			}
			began := time.Now()
			await(t, "the key to go", func() bool { _, known := b.jwks().Key(stolen); return !known })
			if took := time.Since(began); took > 5*time.Second { // a second, and what a busy machine adds
				t.Errorf("it takes %v", took)
			}
			if status := a.call("GET", "/v1/session", b.mint("u1").AccessToken, "", nil); status != http.StatusOK {
				t.Errorf("what the other signs: %d", status)
			}
		})
	}
}
