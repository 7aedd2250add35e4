package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/internal/rounds"
	"issuer.example/secret"
)

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	rounds.Parallel(8)
	os.Exit(m.Run())
}

// start runs a server on free ports until the test ends. It must then stop without an error.
func start(t *testing.T, change func(*config.Config)) *server.Server {
	t.Helper()
	s, _ := run(t, change, nil)
	return s
}

// startWithShortTimeouts is start with a tenth of the timeouts in a quick run.
func startWithShortTimeouts(t *testing.T, change func(*config.Config)) *server.Server {
	t.Helper()
	s := open(t, change, nil)
	if !rounds.Full() {
		s.ShortenTimeouts(10)
	}
	serve(t, s)
	return s
}

// run is start with a clock, nil for the system's, and with a function that stops the server.
func run(t *testing.T, change func(*config.Config), now func() time.Time) (s *server.Server, stop func()) {
	t.Helper()
	s = open(t, change, now)
	return s, serve(t, s)
}

// open opens a server on free ports.
func open(t *testing.T, change func(*config.Config), now func() time.Time) *server.Server {
	t.Helper()
	dir := t.TempDir()
	c := config.Default()
	c.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Store.Path = filepath.Join(dir, "issuer.db")
	c.Secrets = []string{filepath.Join(dir, "secret")}
	if err := os.WriteFile(c.Secrets[0], []byte(secret.Generate()), 0o600); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	s, err := server.Open(t.Context(), server.Config{Settings: c, Logger: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs a server until the test ends or stop is called.
func serve(t *testing.T, s *server.Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// dial connects, for as long as the test may take.
func dial(t *testing.T, address net.Addr) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestBothListenersAnswer(t *testing.T) {
	s := start(t, nil)
	for _, address := range []net.Addr{s.PublicAddr(), s.AdminAddr()} {
		for _, path := range []string{"/healthz", "/readyz"} {
			if status := get(t, address, path); status != http.StatusOK {
				t.Errorf("%s of %s answers %d", path, address, status)
			}
		}
	}
	if status := get(t, s.PublicAddr(), "/metrics"); status != http.StatusNotFound {
		t.Errorf("the public listener answers %d to /metrics", status)
	}
}

func get(t *testing.T, address net.Addr, path string) int {
	t.Helper()
	res, err := http.Get("http://" + address.String() + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// H04: connections over the limit wait, and the admin listener still answers.
func TestConnectionCap(t *testing.T) {
	t.Parallel()
	const most = 3
	s := start(t, func(c *config.Config) { c.Limits.Connections = most })
	var inside []net.Conn
	for range most {
		conn := dial(t, s.PublicAddr())
		ask(t, conn)
		if _, err := answer(conn, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		inside = append(inside, conn)
	}
	outside := dial(t, s.PublicAddr())
	ask(t, outside)
	if status, err := answer(outside, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection over the limit got %q, %v", status, err)
	}
	if status := get(t, s.AdminAddr(), "/healthz"); status != http.StatusOK {
		t.Errorf("the admin listener answers %d", status)
	}
	_ = inside[0].Close()
	if status, err := answer(outside, 30*time.Second); err != nil || !strings.Contains(status, "200") {
		t.Errorf("once there was room it got %q, %v", status, err)
	}
}

// ask sends a request and keeps the connection.
func ask(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

// answer returns the status line that arrives in time.
func answer(conn net.Conn, within time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

// H03: a client that sends slowly is cut off. A full run waits as long as the program does.
func TestSlowSendersAreCut(t *testing.T) {
	t.Parallel()
	s := startWithShortTimeouts(t, nil)
	for name, begun := range map[string]string{
		"nothing":       "",
		"half a header": "GET /healthz HTTP/1.1\r\nHost: local",
		"half a body":   "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, s.PublicAddr())
			if _, err := io.WriteString(conn, begun); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(45 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
		})
	}
}

// H03: a client that sends requests and reads no answers is cut off, and others are answered.
func TestSlowReadersAreCut(t *testing.T) {
	t.Parallel()
	s := startWithShortTimeouts(t, nil)
	conn := dial(t, s.PublicAddr())
	if err := conn.SetWriteDeadline(time.Now().Add(75 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for sent := 0; ; sent++ {
		// Once its answers fill all buffers the server waits, and soon so do we.
		if _, err := io.WriteString(conn, "GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
			break
		}
		if sent%1000 == 0 {
			if status := get(t, s.PublicAddr(), "/healthz"); status != http.StatusOK {
				t.Errorf("another client is answered %d", status)
			}
		}
	}
}

// H11: a header beyond the limit is refused and not read to its end.
func TestLargeHeader(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	req, err := http.NewRequest(http.MethodGet, "http://"+s.PublicAddr().String()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB answers %d", res.StatusCode)
	}
}

// A failed Open leaves neither the data file nor a port open.
func TestOpenLeavesNothingBehind(t *testing.T) {
	s := start(t, nil)
	dir := t.TempDir()
	c := config.Default()
	c.Store.Path = filepath.Join(dir, "issuer.db")
	c.Secrets = []string{filepath.Join(dir, "secret")}
	if err := os.WriteFile(c.Secrets[0], []byte(secret.Generate()), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Listen, c.Admin.Listen = "127.0.0.1:0", s.AdminAddr().String() // taken
	cfg := server.Config{Settings: c, Logger: slog.New(slog.DiscardHandler)}
	if _, err := server.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "admin listener") {
		t.Fatalf("Open on a taken port: %v", err)
	}
	c.Admin.Listen = "127.0.0.1:0"
	again, err := server.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open after a failed one: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A connection without a request stays open for limits.idle_connection. The default is longer than
// what proxies keep their own connections for: 60 s (AWS ALB, nginx), 90 s (Go) and 120 s (Caddy).
func TestIdleConnectionSetting(t *testing.T) {
	t.Parallel()
	if got := config.Default().Limits.IdleConnection; got <= 2*time.Minute {
		t.Errorf("the default is %s", got)
	}
	const idle = time.Second
	s := start(t, func(c *config.Config) { c.Limits.IdleConnection = idle })
	for name, address := range map[string]net.Addr{"public": s.PublicAddr(), "admin": s.AdminAddr()} {
		conn := dial(t, address)
		reader := bufio.NewReader(conn)
		var asked time.Time
		for range 2 {
			asked = time.Now()
			fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
			res, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := reader.ReadByte()
		if open := time.Since(asked); !errors.Is(err, io.EOF) || open < idle {
			t.Errorf("%s: closed after %s with %v, want %s", name, open, err, idle)
		}
	}
}
