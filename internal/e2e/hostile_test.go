package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// T04, T05: whatever a token's header names, the program opens no file of that name and calls
// no URL. A trace of its system calls would show it.
func TestHeadersLeadNowhereStrace(t *testing.T) {
	var called atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	t.Cleanup(canary.Close)
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	cmd := command(t, dir, anywhere(), "serve", "--dev")
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	// -D: the program is our child, and its tracer a grandchild.
	cmd.Args = append([]string{"strace", "-D", "-f", "-qq", "-e", "trace=%file,connect", "-o", trace, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	i := start(t, cmd)
	g := i.mint("u1")
	_, rest, _ := strings.Cut(g.AccessToken, ".")
	for _, value := range []string{
		"../../canary", "/etc/canary", "canary", "file:///etc/canary", "/dev/canary", "canary\x00.pem", canary.URL + "/canary", `\\canary\share`,
	} {
		for _, name := range []string{"kid", "jku", "x5u", "jwk", "x5c"} {
			header, err := json.Marshal(map[string]string{"alg": "ES256", "typ": "at+jwt", "kid": "k", name: value})
			if err != nil {
				t.Fatal(err)
			}
			token := base64.RawURLEncoding.EncodeToString(header) + "." + rest
			if status := i.call("GET", "/v1/session", token, "", nil); status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
				t.Errorf("%s %q answers %d", name, value, status)
			}
			i.form("/oauth/introspect", i.serviceKey(), "token="+token)
		}
	}
	i.stop()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("issuer.db")) {
		t.Fatalf("the trace does not show the opening of the store:\n%s", text)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "canary") || strings.Contains(line, "connect(") && strings.Contains(line, "AF_INET") {
			t.Errorf("the program has looked: %s", line)
		}
	}
	if n := called.Load(); n != 0 {
		t.Errorf("the server that tokens name was called %d times", n)
	}
}

// O04: a dump of the program's stacks, during requests, holds no secret.
func TestDumpHoldsNoSecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stderr")
	cmd := command(t, dir, append(anywhere(), "GOTRACEBACK=all"))
	program := cmd.Path
	// Standard error goes to a file as well as to the test.
	cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "-c", `exec "$0" serve --dev 2> >(tee "$1" >&2)`, program, path}
	i := start(t, cmd)
	g := i.mint("u1")
	i.refresh(g.RefreshToken)
	pending := []*pending{i.begin(), i.begin()} // handlers that hold a key, and wait for a body
	i.signal(syscall.SIGQUIT)
	if code := i.wait().ExitCode(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, p := range pending {
		_ = p.conn.Close()
	}
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SIGQUIT", "goroutine ", "v1.(*Handlers).mint"} {
		if !bytes.Contains(dump, []byte(want)) {
			t.Errorf("the dump does not show %q", want)
		}
	}
	for name, secret := range map[string]string{
		"access token": g.AccessToken, "refresh token": g.RefreshToken, "service key": i.serviceKey(),
		"admin key": strings.TrimSpace(string(i.file("data/dev/admin.key"))), "secret": strings.TrimSpace(string(i.file("data/issuer.secret"))),
	} {
		for form, text := range forms(secret) {
			if bytes.Contains(dump, text) {
				t.Errorf("the %s (%s) stands in the dump", name, form)
			}
		}
	}
}

// H03: five thousand connections that send nothing, or half a request, are closed in time, and
// other requests are answered meanwhile.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	const many = 5000
	i := startDev(t, t.TempDir())
	before := i.openFiles()
	address := strings.TrimPrefix(i.public, "http://")
	began := time.Now()
	conns := make([]net.Conn, many)
	for n := range conns {
		conn, err := net.DialTimeout("tcp", address, testTimeout)
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		defer func() { _ = conn.Close() }()
		if n%2 == 0 {
			fmt.Fprint(conn, "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		}
		conns[n] = conn
		if n%100 == 0 {
			i.answersSoon()
		}
	}
	if open := i.openFiles(); open > before+many+100 {
		t.Errorf("%d files are open, with %d connections", open, many)
	}
	for n, conn := range conns {
		if n%100 == 0 {
			i.answersSoon()
		}
		if err := conn.SetReadDeadline(time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
		var one [1]byte
		if _, err := conn.Read(one[:]); os.IsTimeout(err) {
			t.Fatalf("connection %d is open after %v", n, time.Since(began))
		}
	}
	for deadline := time.Now().Add(testTimeout); i.openFiles() > before+10; {
		if time.Now().After(deadline) {
			t.Fatalf("%d files are still open, %d were before", i.openFiles(), before)
		}
		i.answersSoon()
	}
}

// answersSoon asks something on a connection of its own.
func (i *issuer) answersSoon() {
	i.t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(i.public + "/readyz")
	if err != nil {
		i.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		i.t.Fatalf("readyz answers %d", res.StatusCode)
	}
}

// openFiles is how many files the program has open.
func (i *issuer) openFiles() int {
	i.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", i.PID()))
	if err != nil {
		i.t.Fatal(err)
	}
	return len(entries)
}
