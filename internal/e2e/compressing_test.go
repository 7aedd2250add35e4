package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/guard"
)

// startHaproxy starts HAProxy in front of the issuer, compressing whatever it may, and
// returns its address.
func startHaproxy(t *testing.T, upstream string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	const types = "text/event-stream application/json application/jwt application/jwk-set+json"
	conf := fmt.Sprintf(`defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind %s
  compression algo gzip
  compression type %s
  default_backend issuer
backend issuer
  server issuer %s
`, address, types, upstream)
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", path)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy:\n%s", log.String())
		}
	})
	await(t, "haproxy", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return address
}

// The stream says no-transform. A proxy that compresses leaves it as it is, even for a
// reader that accepts gzip, and so holds nothing back. The JWKS shows that it does compress.
func TestFeedThroughHaproxy(t *testing.T) {
	i := startDev(t, t.TempDir())
	address := startHaproxy(t, strings.TrimPrefix(i.public, "http://"))
	if encoding := encodingOf(t, "http://"+address+"/.well-known/openid-configuration"); encoding != "gzip" {
		t.Fatalf("the metadata comes with Content-Encoding %q", encoding)
	}
	transport := &http.Transport{} // accepts gzip
	t.Cleanup(transport.CloseIdleConnections)
	s := i.openStream("http://"+address, transport, 0)
	if _, ok := s.next(); ok {
		t.Error("it does not begin with an alive")
	}
	id := i.revokeOne()
	if e, ok := s.next(); !ok || e.SID.String() != id {
		t.Errorf("%+v comes where %s was revoked", e, id)
	}

	g := i.guard(&http.Transport{DialContext: dialTo(address)})
	var one grant
	if status := i.call("POST", "/v1/sessions", i.serviceKey(), `{"user":{"id":"u1"}}`, &one); status != http.StatusCreated {
		t.Fatalf("mint: %d", status)
	}
	if _, err := g.Verify(t.Context(), one.AccessToken); err != nil {
		t.Fatal(err)
	}
	if status := i.call("DELETE", "/v1/sessions/"+one.Session.ID, i.serviceKey(), "", nil); status != http.StatusNoContent {
		t.Fatalf("revoke: %d", status)
	}
	await(t, "the revocation to be applied", func() bool {
		_, err := g.Verify(t.Context(), one.AccessToken)
		return errors.Is(err, guard.ErrRevoked) && g.Stats().Connected && g.Stats().Snapshots == 1
	})
}

// encodingOf is the Content-Encoding for a client that accepts gzip.
func encodingOf(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Header.Get("Content-Encoding")
}
