package server

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
)

// A request with both Content-Length and Transfer-Encoding may be meant to smuggle another
// one past a proxy, which counts by the one, to a server that counts by the other. RFC 9112
// §6.1 lets a server refuse it. net/http serves it and hides the Content-Length, and in
// HTTP/1.0 the Transfer-Encoding. So the connection keeps the header's bytes as they came,
// and what is hidden is put back into the request for the handlers to judge.

// headListener gives connections that keep the header of the request that they are at.
type headListener struct{ net.Listener }

// Accept waits for the next connection.
func (l headListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &headConn{Conn: conn}, nil
}

// maxHead is as much as net/http reads of a header before it refuses it, and a bit.
const maxHead = maxHeaderBytes + 8<<10

type headConn struct {
	net.Conn

	mu    sync.Mutex
	head  []byte // what came since the last request was answered, up to the end of a header
	whole bool   // it has that end
	early []byte // what came of the next request before this one was answered
}

// Read keeps what it reads.
func (c *headConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.keep(p[:n], len(p))
	}
	return n, err
}

// keep takes in what was read into a buffer of that size. While a request is answered
// net/http waits for its client to hang up by reading one byte, which is the next one's.
func (c *headConn) keep(text []byte, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size == 1 && c.whole {
		c.early = append(c.early, text...)
		return
	}
	if c.whole || len(c.head) > maxHead {
		return
	}
	if len(c.head) == 0 {
		text = bytes.TrimLeft(text, "\r\n") // net/http skips them behind a POST
	}
	from := max(len(c.head)-3, 0)
	c.head = append(c.head, text...)
	for _, end := range []string{"\r\n\r\n", "\n\n", "\n\r\n"} {
		if i := bytes.Index(c.head[from:], []byte(end)); i >= 0 {
			c.head, c.whole = c.head[:from+i], true
		}
	}
}

// next makes room for the next request.
func (c *headConn) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(c.head) > 2<<10 { // idle connections should not cost what their largest request did
		c.head = nil
	}
	c.head, c.whole = append(c.head[:0], bytes.TrimLeft(c.early, "\r\n")...), false
	c.early = c.early[:0]
}

// lines are the header's lines, without that of the request; ok is false if what was kept
// does not begin with that one, as when requests come without waiting for answers.
func (c *headConn) lines(r *http.Request) (lines [][]byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines = bytes.Split(bytes.Clone(c.head), []byte("\n"))
	begins := string(bytes.TrimSuffix(lines[0], []byte("\r")))
	return lines[1:], c.whole && begins == r.Method+" "+r.RequestURI+" "+r.Proto
}

// connKey finds the connection in the context of its requests.
type connKey struct{}

// withHeads makes a server, which listens with a headListener, show what net/http hides.
func withHeads(s *http.Server) {
	handler := s.Handler
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		if c, ok := conn.(*headConn); ok && state == http.StateIdle {
			c.next()
		}
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0) {
			reveal(r)
		}
		handler.ServeHTTP(w, r)
	})
}

// reveal puts both headers back. Of a header that is not known it says that it had both.
func reveal(r *http.Request) {
	conn, ok := r.Context().Value(connKey{}).(*headConn)
	if !ok {
		return
	}
	lines, known := conn.lines(r)
	length, coding := !known, !known
	for _, line := range lines {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = true
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			coding = true
		}
	}
	if length && coding {
		r.Header["Content-Length"] = []string{""} // its value does not matter
	}
	if coding && len(r.TransferEncoding) == 0 {
		r.TransferEncoding = []string{"unknown"}
	}
}
