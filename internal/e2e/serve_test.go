package e2e_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The commands that `serve --dev` prints work as printed.
func TestPrintedSessionCurl(t *testing.T) {
	i := startDev(t, t.TempDir())
	_, lines, ok := strings.Cut(i.printed(), "in this folder:\n")
	if !ok {
		t.Fatalf("the page has no lines to copy:\n%s", i.printed())
	}
	cmd := exec.Command("sh", "-eu")
	cmd.Dir, cmd.Stdin = i.dir, strings.NewReader(lines)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var answers []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "{") {
			answers = append(answers, line)
		}
	}
	want := [][]string{
		{`"user_id":"u1"`, `"access_token":"`, `"refresh_token":"rt_`},
		{`"user_id":"u1"`, `"email":"u1@example.com"`},
		{`"access_token":"`, `"refresh_token":"rt_`},
		{`"sessions":[{`, `"current":true`},
		{`"revoked":1`},
		{`"code":"session_revoked"`},
		{`"code":"session_revoked"`},
	}
	if len(answers) != len(want) {
		t.Fatalf("%d answers, want %d:\n%s", len(answers), len(want), out)
	}
	for n, texts := range want {
		for _, text := range texts {
			if !strings.Contains(answers[n], text) {
				t.Errorf("answer %d has no %s: %s", n+1, text, answers[n])
			}
		}
	}
}

func TestRestartKeepsSessions(t *testing.T) {
	dir := t.TempDir()
	first := startDev(t, dir)
	kept, ended := first.mint("u1"), first.mint("u2")
	if status := first.call("DELETE", "/v1/session", ended.AccessToken, "", nil); status != http.StatusNoContent {
		t.Fatalf("sign-out answered %d", status)
	}
	key := first.serviceKey()
	var published, publishedNow any
	first.call("GET", "/.well-known/jwks.json", "", "", &published)
	first.stop()

	second := startDev(t, dir)
	if second.serviceKey() != key {
		t.Error("the service key of --dev has changed")
	}
	second.call("GET", "/.well-known/jwks.json", "", "", &publishedNow)
	if diff := cmp.Diff(published, publishedNow); diff != "" {
		t.Errorf("other signing keys after a restart:\n%s", diff)
	}
	if status := second.call("GET", "/v1/session", kept.AccessToken, "", nil); status != http.StatusOK {
		t.Errorf("the access token answers %d after a restart", status)
	}
	if _, status := second.refresh(kept.RefreshToken); status != http.StatusOK {
		t.Errorf("the refresh token answers %d after a restart", status)
	}
	if g, status := second.refresh(ended.RefreshToken); status != http.StatusUnauthorized || g.Code != "session_revoked" {
		t.Errorf("the ended session answers %d %s after a restart", status, g.Code)
	}
}

func TestSecondProcessOnOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startDev(t, dir)
	run(t, dir, anywhere(), "serve", "--dev").failed(t, "data/issuer.db", "another process")
	if g := first.mint("u1"); g.RefreshToken == "" {
		t.Error("the first process no longer mints")
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	for variable, setting := range map[string]string{"ISSUER_LISTEN=": "(listen)", "ISSUER_ADMIN_LISTEN=": "(admin.listen)"} {
		environ := append(anywhere(), variable+address)
		run(t, t.TempDir(), environ, "serve", "--dev").failed(t, "listener", setting, address, "in use")
	}
}

// If only the issuer's URL is configured, its own routes accept its tokens; and if nothing
// listens at that URL, the log says so.
func TestIssuerElsewhere(t *testing.T) {
	i := startDev(t, t.TempDir(), "ISSUER_ISSUER=http://auth.example.localhost:8090")
	var token struct {
		Audience []string `json:"aud"`
	}
	g := i.mint("u1")
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(g.AccessToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &token); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"http://auth.example.localhost:8090"}, token.Audience); diff != "" {
		t.Errorf("aud (-want +got):\n%s", diff)
	}
	if status := i.call("GET", "/v1/session", g.AccessToken, "", nil); status != http.StatusOK {
		t.Errorf("the issuer's own route answers %d", status)
	}
	if log := i.Log().Text(); !strings.Contains(log, "the issuer is not at its own URL") {
		t.Errorf("the log does not say that nothing listens at the issuer's URL:\n%s", log)
	}
}

// On SIGTERM a request whose body is awaited is still answered, new connections are refused,
// and the session is on disk.
func TestStopFinishesWhatWasAccepted(t *testing.T) {
	dir := t.TempDir()
	i := startDev(t, dir)
	conn := i.begin()
	i.signal(syscall.SIGTERM)
	i.awaitStopping()
	i.refusesConnections()

	res := conn.finish(t)
	var g grant
	if err := json.NewDecoder(res.Body).Decode(&g); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("the accepted request was answered %d, %v", res.StatusCode, err)
	}
	if state := i.wait(); state.ExitCode() != 0 {
		t.Errorf("the program ended with %v", state)
	}
	if _, status := startDev(t, dir).refresh(g.RefreshToken); status != http.StatusOK {
		t.Errorf("the session that was minted while stopping answers %d", status)
	}
}

func TestSecondSignalKills(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		i := startDev(t, t.TempDir())
		i.begin()
		i.signal(signal)
		i.awaitStopping()
		i.signal(signal)
		state := i.wait()
		status, ok := state.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() || status.Signal() != signal {
			t.Errorf("ended with %v, want %v", state, signal)
		}
	}
}

// pending is a mint whose header was accepted and whose body is awaited.
type pending struct {
	conn   net.Conn
	reader *bufio.Reader
	body   string
}

// begin sends the header of a mint. "100 Continue" says that the program waits for the
// body.
func (i *issuer) begin() *pending {
	i.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.public, "http://"))
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		i.t.Fatal(err)
	}
	p := &pending{conn: conn, reader: bufio.NewReader(conn), body: `{"user": {"id": "u1"}}`}
	fmt.Fprintf(conn, "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		i.serviceKey(), len(p.body))
	line, err := p.reader.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		i.t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	if _, err := p.reader.ReadString('\n'); err != nil {
		i.t.Fatal(err)
	}
	return p
}

// finish sends the body and reads the answer.
func (p *pending) finish(t *testing.T) *http.Response {
	t.Helper()
	if _, err := p.conn.Write([]byte(p.body)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(p.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// refusesConnections waits until nothing listens any more.
func (i *issuer) refusesConnections() {
	i.t.Helper()
	for deadline := time.Now().Add(testTimeout); ; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(i.public, "http://"))
		if err != nil {
			return
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			i.t.Fatal("the program still takes connections")
		}
	}
}

func TestWrongSecret(t *testing.T) {
	dir := t.TempDir()
	i := startDev(t, dir)
	g := i.mint("u1")
	i.stop()
	path := filepath.Join(dir, "data/issuer.secret")
	old := path + ".old"
	if err := os.Rename(path, old); err != nil {
		t.Fatal(err)
	}
	if r := run(t, dir, nil, "secret", "new", "data/issuer.secret"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	run(t, dir, anywhere(), "serve", "--dev").failed(t, "secret")

	// With both secrets the program opens what the old one sealed: the refusal changed nothing.
	both := startDev(t, dir, "ISSUER_SECRETS=data/issuer.secret,data/issuer.secret.old")
	if _, status := both.refresh(g.RefreshToken); status != http.StatusOK {
		t.Errorf("with both secrets the refresh token answers %d", status)
	}
}

func TestNothingPrepared(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"serve"}, {"check"}} {
		r := run(t, dir, anywhere(), args...)
		if r.code != 1 || !strings.Contains(r.stderr, "data/issuer.secret") || !strings.Contains(r.stderr, "service_keys") {
			t.Errorf("%v: exit code %d, standard error %q", args, r.code, r.stderr)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a refused start left %v, %v", entries, err)
	}
}

func TestThreeFaults(t *testing.T) {
	dir := t.TempDir()
	text := "issuer: http://id.example.com\nstore: {pth: x}\nsession: {idle_timeout: 7d}\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"config.yaml:1: issuer: ", "config.yaml:2: store.pth: ", "config.yaml:3: session.idle_timeout: "}
	for _, args := range [][]string{{"check"}, {"serve"}, {"serve", "--dev"}} {
		r := run(t, dir, anywhere(), args...)
		lines := strings.Split(r.stderr, "\n")
		for n, prefix := range want {
			if r.code != 1 || len(lines) < len(want) || !strings.HasPrefix(lines[n], prefix) {
				t.Errorf("%v: exit code %d, standard error %q; want %q on line %d", args, r.code, r.stderr, prefix, n+1)
			}
		}
	}
}
