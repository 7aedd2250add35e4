package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

// stream is the feed as a verifier reads it.
type stream struct {
	t      *testing.T
	keys   *jwt.KeySet
	proto  string
	frames *list.FrameReader
}

// openStream opens a stream from base over a transport. It ends with the test.
func (i *issuer) openStream(base string, transport http.RoundTripper, after int) *stream {
	i.t.Helper()
	req, err := http.NewRequestWithContext(soon(i.t), http.MethodGet, fmt.Sprintf("%s/v1/revocations/stream?after=%d", base, after), nil)
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+i.serviceKey())
	res, err := transport.RoundTrip(req)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		i.t.Fatalf("%s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	return &stream{i.t, i.jwks(), res.Proto, list.NewFrameReader(res.Body)}
}

// jwks are the keys that the issuer publishes.
func (i *issuer) jwks() *jwt.KeySet {
	i.t.Helper()
	res, err := http.Get(i.public + "/.well-known/jwks.json")
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	keys, err := jwt.ParseJWKS(text)
	if err != nil {
		i.t.Fatal(err)
	}
	return keys
}

// next returns the next revocation; ok is false if an alive comes instead.
func (s *stream) next() (e revocation.Entry, ok bool) {
	s.t.Helper()
	frame, err := s.frames.Next()
	if err != nil {
		s.t.Fatal(err)
	}
	if frame.Event == revocation.FrameAlive {
		return e, false
	}
	payload, err := jwt.VerifyDocument(frame.Data, s.keys, revocation.TypeEvent, jwt.MaxTokenSize)
	if err != nil {
		s.t.Fatal(err)
	}
	event, err := revocation.DecodeEvent(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	return event.Entry, true
}

// revokeOne mints a session, ends it and returns its id.
func (i *issuer) revokeOne() string {
	i.t.Helper()
	var g grant
	if status := i.call("POST", "/v1/sessions", i.serviceKey(), `{"user":{"id":"u1"}}`, &g); status != http.StatusCreated {
		i.t.Fatalf("mint: %d", status)
	}
	if status := i.call("DELETE", "/v1/sessions/"+g.Session.ID, i.serviceKey(), "", nil); status != http.StatusNoContent {
		i.t.Fatalf("revoke: %d", status)
	}
	return g.Session.ID
}

// After a kill and a restart the numbers of revocations go on: none is given twice, none is
// missing.
func TestFeedAfterAKill(t *testing.T) {
	dir := t.TempDir()
	i := startDev(t, dir)
	var revoked []string
	for range 3 {
		revoked = append(revoked, i.revokeOne())
	}
	s := i.openStream(i.public, http.DefaultTransport, 0)
	if e, ok := s.next(); !ok || e.Seq != 1 || e.SID.String() != revoked[0] {
		t.Errorf("first: %+v", e)
	}
	i.signal(syscall.SIGKILL)
	i.wait()
	i = startDev(t, dir)
	s = i.openStream(i.public, http.DefaultTransport, 1)
	revoked = append(revoked, i.revokeOne())
	for n := 1; n < len(revoked); {
		e, ok := s.next()
		if !ok {
			continue
		}
		if e.Seq != uint64(n+1) || e.SID.String() != revoked[n] {
			t.Fatalf("after %d comes %d, %s; want %s", n, e.Seq, e.SID, revoked[n])
		}
		n++
	}
}

// location is the part of an nginx.conf that docs/feed.md shows.
func location(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/feed.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "    location /v1/revocations {\n")
	block, _, closed := strings.Cut(after, "\n    }\n")
	if !found || !closed {
		t.Fatal("docs/feed.md shows no location for nginx")
	}
	return "location /v1/revocations {\n" + block + "\n}"
}

// startNginx starts nginx with a location, and returns a transport to each of its two
// sockets: one for HTTP/1.1, one for HTTP/2.
func startNginx(t *testing.T, location string) map[string]http.RoundTripper {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen unix:%[1]s/1; listen unix:%[1]s/2 http2; %[2]s }
}`, dir, location)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "nginx", "-p", dir, "-c", path)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx:\n%s\n%s", conf, log.String())
		}
	})
	one, two := new(http.Protocols), new(http.Protocols)
	one.SetHTTP1(true)
	two.SetUnencryptedHTTP2(true)
	return map[string]http.RoundTripper{
		"HTTP/1.1": socket(t, filepath.Join(dir, "1"), one),
		"HTTP/2.0": socket(t, filepath.Join(dir, "2"), two),
	}
}

// socket is a transport to a Unix socket. It waits until somebody listens there.
func socket(t *testing.T, path string, protocols *http.Protocols) http.RoundTripper {
	t.Helper()
	await(t, "nginx", func() bool {
		conn, err := net.Dial("unix", path)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
	transport := &http.Transport{
		Protocols:   protocols,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// A revocation passes through nginx at once: with the configuration of docs/feed.md, with a
// plain proxy_pass, and with one that compresses everything for those who accept it, as this
// transport does.
func TestFeedThroughNginx(t *testing.T) {
	i := startDev(t, t.TempDir())
	upstream := strings.TrimPrefix(i.public, "http://")
	documented := strings.ReplaceAll(location(t), "127.0.0.1:8080", upstream)
	if !strings.Contains(documented, upstream) {
		t.Fatal("the location passes nothing to the issuer")
	}
	after := 0
	for name, location := range map[string]string{
		"as documented": documented,
		"plain":         "location / { proxy_pass http://" + upstream + "; proxy_set_header Host $http_host; }",
		"compressing": "location / { proxy_pass http://" + upstream + "; proxy_set_header Host $http_host; " +
			"gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0; gzip_http_version 1.0; }",
	} {
		for proto, transport := range startNginx(t, location) {
			s := i.openStream("http://127.0.0.1", transport, after)
			if _, ok := s.next(); ok || s.proto != proto {
				t.Errorf("%s, %s: it does not begin with an alive, or is %s", name, proto, s.proto)
			}
			id := i.revokeOne()
			after++
			if e, ok := s.next(); !ok || e.SID.String() != id || e.Seq != uint64(after) {
				t.Errorf("%s, %s: %+v comes where %s was revoked", name, proto, e, id)
			}
		}
	}
}

// transport reaches the issuer where it listens, whatever its URL says.
func (i *issuer) transport() http.RoundTripper {
	return &http.Transport{DialContext: dialTo(strings.TrimPrefix(i.public, "http://"))}
}

// dialTo reaches one address, whatever is asked for.
func dialTo(address string) func(ctx context.Context, _, _ string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
}

// guard is a guard that reaches the issuer over a transport. It ends with the test.
func (i *issuer) guard(transport http.RoundTripper) *guard.Guard {
	i.t.Helper()
	g, err := guard.New(soon(i.t), guard.Config{
		Issuer: "http://localhost:8080", Audience: []string{"http://localhost:8080"}, ServiceKey: i.serviceKey(),
		Name: "orders", HTTPClient: &http.Client{Transport: transport}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = g.Close() })
	return g
}

// A guard that follows the issuer refuses a session that was revoked, and the issuer shows
// how far the guard has read.
func TestGuardFollowsTheIssuer(t *testing.T) {
	t.Parallel()
	i := startDev(t, t.TempDir())
	g := i.guard(i.transport())
	var one, two grant
	for _, into := range []*grant{&one, &two} {
		if status := i.call("POST", "/v1/sessions", i.serviceKey(), `{"user":{"id":"u1"}}`, into); status != http.StatusCreated {
			t.Fatalf("mint: %d", status)
		}
		if _, err := g.Verify(t.Context(), into.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	if status := i.call("DELETE", "/v1/sessions/"+one.Session.ID, i.serviceKey(), "", nil); status != http.StatusNoContent {
		t.Fatalf("revoke: %d", status)
	}
	await(t, "the revocation to be applied", func() bool {
		_, err := g.Verify(t.Context(), one.AccessToken)
		return errors.Is(err, guard.ErrRevoked)
	})
	if _, err := g.Verify(t.Context(), two.AccessToken); err != nil {
		t.Error(err)
	}
	await(t, "the issuer to show it", func() bool {
		text := i.verifiers()
		return strings.Contains(text, `"verifier":"orders","client":"dev-service","connected":true,"seq":1,"behind":0`)
	})
}

// A guard continues while the issuer is down, and learns afterwards what was revoked.
func TestGuardOutlivesTheIssuer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := startDev(t, dir)
	var address atomic.Value
	address.Store(strings.TrimPrefix(i.public, "http://"))
	g := i.guard(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address.Load().(string))
	}})
	before, during := i.mint("u1"), i.mint("u2")
	revoked := func(of grant) bool {
		_, err := g.Verify(t.Context(), of.AccessToken)
		return errors.Is(err, guard.ErrRevoked)
	}
	revoke := func(of grant) {
		if status := i.call("DELETE", "/v1/sessions/"+of.Session.ID, i.serviceKey(), "", nil); status != http.StatusNoContent {
			t.Fatalf("revoke: %d", status)
		}
	}
	revoke(before)
	await(t, "the revocation to be applied", func() bool { return revoked(before) })
	i.signal(syscall.SIGKILL)
	i.wait()
	await(t, "the loss to be noticed", func() bool { return !g.Stats().Connected })
	if _, err := g.Verify(t.Context(), during.AccessToken); err != nil || !revoked(before) {
		t.Errorf("without the issuer: %v", err)
	}
	i = startDev(t, dir)
	revoke(during)
	address.Store(strings.TrimPrefix(i.public, "http://"))
	await(t, "the guard to hear of it", func() bool { return revoked(during) })
	if s := g.Stats(); !revoked(before) || s.Rollbacks != 0 || s.Snapshots != 1 {
		t.Errorf("it did not go on where it was: %+v", s)
	}
}

// verifiers is the issuer's list of connected verifiers.
func (i *issuer) verifiers() string {
	i.t.Helper()
	key, err := os.ReadFile(filepath.Join(i.dir, "data/dev/admin.key"))
	if err != nil {
		i.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, i.admin+"/admin/v1/verifiers", nil)
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	return string(text)
}

// await waits until a condition holds.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx := soon(t); !so(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}
