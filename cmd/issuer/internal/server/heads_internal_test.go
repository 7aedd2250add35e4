package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// pieces is a connection whose bytes come so many at a time.
type pieces struct {
	net.Conn

	rest string
	step int
}

func (p *pieces) Read(into []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(into[:min(len(into), p.step)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// FuzzHeads holds what is kept of a connection to what net/http reads from it, however the
// bytes come in: the header of each request that it takes is known, whether or not it came
// with the one before, and the two agree on which lengths that has.
func FuzzHeads(f *testing.F) {
	const line = "POST /x HTTP/1.1\r\nHost: a\r\n"
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, seed := range []string{
		line + "Content-Length: 2\r\n\r\n{}", line + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		line + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.0\n\n", "\r\n\r\n" + line,
		line + "A: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\nx\n\n", get + get,
		line + "Content-Length: 4\r\n\r\n\n \n\n\r\n" + get + line + "Content-Length: 1\r\n\r\n{" + line + "Transfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 4096) + "\r\n\r\n" + get,
	} {
		for _, step := range []uint16{1, 7, 4096} {
			f.Add(seed, step)
		}
	}
	f.Fuzz(func(t *testing.T, text string, step uint16) {
		c := &headConn{Conn: &pieces{rest: text, step: max(int(step), 1)}}
		for r := bufio.NewReaderSize(c, 4096); len(text) < maxHead; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			agree(t, c, req)
			c.look(req)
			if _, err := io.Copy(io.Discard, req.Body); err != nil || len(req.TransferEncoding) > 0 || req.ProtoMajor > 1 {
				return // the connection ends
			}
			if req.Method == http.MethodPost {
				skipBreaks(r)
			}
		}
	})
}

func agree(t *testing.T, c *headConn, r *http.Request) {
	t.Helper()
	if c.framed {
		if r.Method != "PRI" {
			t.Fatalf("%s %s %s is taken for HTTP/2", r.Method, r.RequestURI, r.Proto)
		}
		return
	}
	lines, known := c.lines(r)
	if !known {
		t.Fatalf("net/http reads %s %s %s, and its header is not known: %q", r.Method, r.RequestURI, r.Proto, c.head)
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
		t.Errorf("the Transfer-Encoding is not seen in %q", lines)
	}
	if r.ContentLength > 0 && !has("Content-Length") {
		t.Errorf("the Content-Length is not seen in %q", lines)
	}
}

// skipBreaks skips what net/http does behind a POST.
func skipBreaks(r *bufio.Reader) {
	for range 4 {
		if b, err := r.Peek(1); err != nil || b[0] != '\r' && b[0] != '\n' {
			return
		}
		_, _ = r.Discard(1) // it is there
	}
}

// Nothing is kept of HTTP/2, however much comes in bits that look like what HTTP/1 sends.
func TestFramesAreNotKept(t *testing.T) {
	frame := "\x00\x00\x01\xff\x00\x00\x00\x00\x00\n"
	c := &headConn{Conn: &pieces{rest: http2.ClientPreface + strings.Repeat(frame, 10_000), step: 4096}}
	for size := len(http2.ClientPreface); ; { // as net/http reads it: a frame's header, and then the rest
		if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
			break
		}
		if size++; size != 10 {
			size = 9
		} else {
			size = 1
		}
	}
	if n := cap(c.head); n > 1<<10 {
		t.Errorf("%d bytes are kept", n)
	}
}
