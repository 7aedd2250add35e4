package server

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// FuzzHead holds what is kept of a connection to what net/http reads from it, however the
// bytes come in: a request that it takes has a known header, and the two agree on which
// lengths that has.
func FuzzHead(f *testing.F) {
	const line = "POST /x HTTP/1.1\r\nHost: a\r\n"
	for _, seed := range []string{
		line + "Content-Length: 2\r\n\r\n{}", line + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		line + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.0\n\n", "\r\n\r\n" + line,
		line + "A: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\nx\n\n",
	} {
		f.Add(seed, uint8(7))
	}
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		c := &headConn{}
		for rest := []byte(text); len(rest) > 0; {
			n := min(len(rest), max(int(step), 2))
			c.keep(rest[:n], 4096)
			rest = rest[n:]
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil || len(text) > maxHead {
			return
		}
		lines, known := c.lines(r)
		if !known {
			t.Fatalf("net/http reads %s %s %s from %q, and its header is not known: %q", r.Method, r.RequestURI, r.Proto, text, c.head)
		}
		has := func(name string) bool {
			for _, line := range lines {
				if got, _, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(got), name) {
					return true
				}
			}
			return false
		}
		if len(r.TransferEncoding) > 0 && !has("Transfer-Encoding") {
			t.Errorf("the Transfer-Encoding of %q is not seen", text)
		}
		if r.ContentLength > 0 && !has("Content-Length") {
			t.Errorf("the Content-Length of %q is not seen", text)
		}
	})
}
