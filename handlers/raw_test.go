package handlers_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// sendRaw writes bytes to a server and returns everything that it answers until it closes the connection.
// The last request should therefore ask for the close.
func sendRaw(t *testing.T, server *httptest.Server, text string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	// The server may refuse before it has read everything.
	_, _ = io.WriteString(conn, text)
	answer, _ := io.ReadAll(bufio.NewReader(conn))
	return string(answer)
}

// statuses returns those of the answers on a connection. An answer follows the body of the previous one
// without a line break.
func statuses(answer string) []string {
	var found []string
	for _, rest := range strings.Split(answer, "HTTP/1.")[1:] {
		if len(rest) >= 5 {
			found = append(found, rest[2:5])
		}
	}
	return found
}

// TestSmuggling is row H01: no request can be hidden behind the body of one with an ambiguous length.
// Those that net/http accepts are tested with the server: TestSmuggling of cmd/issuer/internal/server.
func TestSmuggling(t *testing.T) {
	f := newFixture(t, nil)
	const hidden = "DELETE /v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 2, "{}")
	for name, tt := range map[string]struct {
		headers, body string
		want          string // of the only answer; "" any refusal
	}{
		"chunked twice":            {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked + hidden, ""},
		"xchunked":                 {"Transfer-Encoding: xchunked\r\n", chunked + hidden, ""},
		"chunked, identity":        {"Transfer-Encoding: chunked, identity\r\n", chunked + hidden, ""},
		"a space before the colon": {"Transfer-Encoding : chunked\r\nContent-Length: 2\r\n", "{}" + hidden, ""},
		"two content lengths":      {"Content-Length: 2\r\nContent-Length: 3\r\n", "{} " + hidden, ""},
		"signed content length":    {"Content-Length: +2\r\n", "{}" + hidden, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := sendRaw(t, f.public, "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
				tt.headers+"\r\n"+tt.body)
			got := statuses(answer)
			if len(got) != 1 || tt.want != "" && got[0] != tt.want || got[0] < "400" {
				t.Errorf("answers %v, want one refusal %s, then the end:\n%s", got, tt.want, answer)
			}
		})
	}
	// A request with a Content-Length keeps the connection open.
	answer := sendRaw(t, f.public, "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Content-Length: 2\r\n\r\n{}"+hidden)
	if got := statuses(answer); len(got) != 2 {
		t.Errorf("answers %v, want two", got)
	}
}

// TestHosts is row H02.
func TestHosts(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.http.Hosts = []string{"Auth.Example.com"} })
	for _, tt := range []struct{ line, host, want string }{
		{"GET /openapi.yaml HTTP/1.1", "localhost:8080", "200"},
		{"GET /openapi.yaml HTTP/1.1", "LOCALHOST", "200"},
		{"GET /openapi.yaml HTTP/1.1", "127.0.0.1:1234", "200"},
		{"GET /openapi.yaml HTTP/1.1", "[::1]:8080", "200"},
		{"GET /openapi.yaml HTTP/1.1", "auth.example.com", "200"},
		{"GET /openapi.yaml HTTP/1.1", "auth.example.com.", "200"},
		{"GET /openapi.yaml HTTP/1.1", "issuer:8080", "200"},
		{"GET /openapi.yaml HTTP/1.1", "issuer.default.svc.cluster.local", "200"},
		{"GET /openapi.yaml HTTP/1.0", "localhost", "200"},
		{"GET http://localhost/openapi.yaml HTTP/1.1", "localhost", "200"},
		{"GET /openapi.yaml HTTP/1.1", "evil.example", "421"},
		{"GET /openapi.yaml HTTP/1.1", "auth.example.com.evil.example", "421"},
		{"GET /openapi.yaml HTTP/1.1", "localhost.evil.example:8080", "421"},
		{"GET /openapi.yaml HTTP/1.1", "127.0.0.1.evil.example", "421"},
		{"GET http://evil.example/openapi.yaml HTTP/1.1", "localhost", "421"},
		{"GET /.well-known/jwks.json HTTP/1.1", "evil.example", "421"},
		{"GET /openapi.yaml HTTP/1.1", "a b", "400"},
		{"GET /openapi.yaml HTTP/1.1", "localhost\r\nHost: evil.example", "400"},
		{"GET /openapi.yaml HTTP/1.1", "", "421"},
		{"GET /openapi.yaml HTTP/2.0", "localhost", "505"},
	} {
		for name, server := range map[string]*httptest.Server{"public": f.public, "admin": f.admin} {
			if name == "admin" && strings.Contains(tt.line, "jwks") {
				continue
			}
			line, want := tt.line, tt.want
			if name == "admin" && want == "200" {
				want = "401"
			}
			if name == "admin" {
				line = strings.Replace(line, "/openapi.yaml", "/admin/v1/keys", 1)
			}
			answer := sendRaw(t, server, line+"\r\nHost: "+tt.host+"\r\nConnection: close\r\n\r\n")
			if got := statuses(answer); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s, Host %q: %v, want %s", name, line, tt.host, got, want)
			}
		}
	}
	if got := statuses(sendRaw(t, f.public, "GET /openapi.yaml HTTP/1.0\r\n\r\n")); len(got) != 1 || got[0] != "421" {
		t.Errorf("HTTP/1.0 without Host: %v, want 421", got)
	}
	if got := statuses(sendRaw(t, f.public, "GET /openapi.yaml HTTP/1.1\r\n\r\n")); len(got) != 1 || got[0] != "400" {
		t.Errorf("HTTP/1.1 without Host: %v, want 400", got)
	}
	// The metadata never contain anything from the request.
	answer := sendRaw(t, f.public, "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: issuer\r\n"+
		"X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\nForwarded: host=evil.example\r\nConnection: close\r\n\r\n")
	if strings.Contains(answer, "evil") || strings.Contains(answer, "gopher") || !strings.Contains(answer, testIssuer+"/.well-known/jwks.json") {
		t.Errorf("metadata: %s", answer)
	}
}

// TestHugeHeaders is row H11.
func TestHugeHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for name, tt := range map[string]struct{ headers, want string }{
		"ten thousand": {strings.Repeat("X: y\r\n", 10000), "431"},
		"a megabyte":   {"X: " + strings.Repeat("y", 1<<20) + "\r\n", "431"},
		"NUL":          {"X: a\x00b\r\n", "400"},
		"bare CR":      {"X: a\rb\r\n", "400"},
	} {
		answer := sendRaw(t, f.public, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+tt.headers+"\r\n")
		// A server that closes with unread input may reset the connection before the
		// answer arrives: then there is none.
		if got := statuses(answer); len(got) == 1 && got[0] != tt.want || len(got) > 1 {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
}

// TestDeclaredLength: a body that declares ten gigabytes is refused before it is sent.
func TestDeclaredLength(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/v1/session/refresh", "/v1/sessions/revoke-all", "/nowhere"} {
		answer := sendRaw(t, f.public, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
			"Content-Length: 10737418240\r\nExpect: 100-continue\r\n\r\n")
		if got := statuses(answer); len(got) != 1 || got[0] != "413" {
			t.Errorf("%s: %v, want 413 and the end", path, got)
		}
	}
}

// TestNothingIsReflected: the answer contains nothing from the request.
func TestNothingIsReflected(t *testing.T) {
	f := newFixture(t, nil)
	const canary = "reflected-canary"
	for _, path := range []string{"/" + canary, "/v1/sessions/" + canary, "/v1/session?x=" + canary, "/problems/" + canary} {
		a := f.call(t, "GET", path, nil, header("Origin", "https://"+canary), header("X-Request-Id", canary),
			header("User-Agent", canary), header("Referer", "https://"+canary), header("Accept", canary))
		for name, values := range a.Header {
			if strings.Contains(strings.Join(values, " "), canary) {
				t.Errorf("GET %s: %s: %v", path, name, values)
			}
		}
		if strings.Contains(string(a.body), canary) {
			t.Errorf("GET %s: %s", path, a.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: %v", path, a.Header)
		}
	}
	if a := f.call(t, "GET", "/healthz", nil); a.StatusCode != http.StatusOK {
		t.Error("the issuer is not healthy afterwards")
	}
}

// TestProbes: load balancers ask for the health under any name, or without one, and the log has a line
// for that at level debug only.
func TestProbes(t *testing.T) {
	f := newFixture(t, nil)
	for _, server := range []*httptest.Server{f.public, f.admin} {
		for _, path := range []string{"/healthz", "/readyz"} {
			for _, request := range []string{
				"GET " + path + " HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
				"GET " + path + " HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nConnection: close\r\n\r\n",
				"GET " + path + " HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
				"GET http://evil.example" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
				"HEAD " + path + " HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
				"GET " + path + " HTTP/1.0\r\n\r\n",
				"GET " + path + "?x=1 HTTP/1.0\r\n\r\n",
			} {
				if got := statuses(sendRaw(t, server, request)); len(got) != 1 || got[0] != "200" {
					t.Errorf("%q: %v, want 200", request, got)
				}
			}
			// Nothing but a probe is answered.
			if got := statuses(sendRaw(t, server, "GET "+path+"/x HTTP/1.0\r\n\r\n")); len(got) != 1 || got[0] != "421" {
				t.Errorf("below %s without Host: %v, want 421", path, got)
			}
			if got := statuses(sendRaw(t, server, "POST "+path+" HTTP/1.0\r\n\r\n")); len(got) != 1 || got[0] != "421" {
				t.Errorf("POST %s without Host: %v, want 421", path, got)
			}
		}
	}
	for line := range strings.Lines(f.log.String()) {
		if strings.Contains(line, "request") && strings.Contains(line, `"status":200`) {
			t.Errorf("a probe is in the log: %s", line)
		}
	}
}

// TestProbesAtDebug: the log can show probes.
func TestProbesAtDebug(t *testing.T) {
	var log logBuffer
	f := newFixture(t, func(s *settings) {
		s.http.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	f.call(t, "GET", "/readyz", nil).want(t, 200, "")
	if got := log.String(); !strings.Contains(got, `"level":"DEBUG","msg":"request"`) || !strings.Contains(got, "/readyz") {
		t.Errorf("the log: %s", got)
	}
}
