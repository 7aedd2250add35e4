package e2e_test

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// keptConnections is a location of nginx that keeps its connections to the issuer, and the
// pool of one connection that it takes them from. It passes bodies on as they come.
func keptConnections(upstream string) string {
	return `location / {
  proxy_pass http://issuer; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
  proxy_request_buffering off;
} } upstream issuer { server ` + upstream + `; keepalive 1;`
}

// H01: nothing that a client sends through nginx, on a connection that nginx shares among
// clients, changes the answer that another client gets.
func TestSmugglingThroughNginx(t *testing.T) {
	i := startDev(t, t.TempDir())
	transport := startNginx(t, keptConnections(strings.TrimPrefix(i.public, "http://")))["HTTP/1.1"].(*http.Transport)
	const (
		chunked = "2\r\n{}\r\n0\r\n\r\n"
		hidden  = "GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n"
	)
	post := func(version, headers string) string {
		return "POST /v1/session/refresh HTTP/" + version + "\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers + "\r\n"
	}
	for name, text := range map[string]string{
		"a chunked request":           post("1.1", "Transfer-Encoding: chunked\r\n") + chunked,
		"something behind chunks":     post("1.1", "Transfer-Encoding: chunked\r\nConnection: close\r\n") + chunked + hidden,
		"both lengths":                post("1.1", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + chunked + hidden,
		"a short length":              post("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n" + hidden,
		"an unknown coding":           post("1.1", "Content-Length: 12\r\nTransfer-Encoding: xchunked\r\n") + chunked + hidden,
		"a space before the colon":    post("1.1", "Content-Length: 12\r\nTransfer-Encoding : chunked\r\n") + chunked + hidden,
		"a coding behind a tab":       post("1.1", "Content-Length: 12\r\nTransfer-Encoding:\tchunked\r\n") + chunked + hidden,
		"a folded coding":             post("1.1", "Content-Length: 12\r\nTransfer-Encoding:\r\n chunked\r\n") + chunked + hidden,
		"a coding folded elsewhere":   post("1.1", "X: a\r\n Transfer-Encoding: chunked\r\n") + chunked + hidden,
		"a length folded elsewhere":   post("1.1", "X: a\r\n Content-Length: 100\r\n") + hidden + hidden,
		"HTTP/1.0 with a coding":      post("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n") + chunked + hidden,
		"HTTP/1.0 with both":          post("1.0", "Connection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n") + "{}" + hidden,
		"a body that is refused":      "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + strconv.Itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"a body longer than it says":  post("1.1", "Content-Length: 2\r\nConnection: close\r\n") + "{}" + hidden,
		"a chunk with an extension":   post("1.1", "Transfer-Encoding: chunked\r\n") + "2;x=\n" + hidden + "\r\n{}\r\n0\r\n\r\n",
		"a request in the trailer":    post("1.1", "Transfer-Encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n" + hidden,
		"chunks that end with a feed": post("1.1", "Transfer-Encoding: chunked\r\n") + "2\n{}\n0\n\n" + hidden,
	} {
		t.Run(name, func(t *testing.T) {
			send(t, transport, text)
			for range 3 {
				if status, body := getThrough(t, transport, "/healthz"); status != http.StatusOK || strings.Contains(body, "openapi") {
					t.Errorf("another client is answered %d %.60q", status, body)
				}
			}
		})
	}
}

// send writes text on a connection of its own and reads the first answer.
func send(t *testing.T, transport *http.Transport, text string) {
	t.Helper()
	conn, err := transport.DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	// nginx may refuse it and close before it has read everything.
	_, _ = io.WriteString(conn, text)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

// getThrough asks on a connection of its own.
func getThrough(t *testing.T, transport *http.Transport, path string) (status int, body string) {
	t.Helper()
	transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, Timeout: testTimeout}).Get("http://localhost" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
