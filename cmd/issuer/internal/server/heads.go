package server

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"

	"issuer.example/handlers"
)

// A request with both Content-Length and Transfer-Encoding may be meant to smuggle another
// one past a proxy, which counts by the one, to a server that counts by the other; a line
// that is folded can hide a header from one of them. RFC 9112 (§6.1, §5.2) lets a server
// refuse both. net/http serves them: it hides the Content-Length, in HTTP/1.0 the
// Transfer-Encoding, and joins the lines. So the connection keeps the header's bytes as they
// came, and the handlers are told of what was mended.

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
	folds bool   // a line of it begins with white space
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
	from := max(len(c.head)-2, 0) // what was read last may have ended with a line, or in its end
	c.head = append(c.head, text...)
	c.scan(from)
}

// scan looks at how the lines begin, and cuts off what follows the last one.
func (c *headConn) scan(from int) {
	for {
		i := bytes.IndexByte(c.head[from:], '\n')
		if i < 0 {
			return
		}
		from += i + 1
		switch next := c.head[from:]; {
		case len(next) == 0:
			return
		case next[0] == '\n', len(next) > 1 && next[0] == '\r' && next[1] == '\n':
			c.head, c.whole = c.head[:from-1], true
			return
		case next[0] == ' ', next[0] == '\t':
			c.folds = true
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
	c.folds = false
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

// folded reports whether a line of the header is folded.
func (c *headConn) folded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.folds
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
		if r.ProtoMajor == 1 {
			if c, ok := r.Context().Value(connKey{}).(*headConn); ok {
				if fault := c.fault(r); fault != "" {
					r.Header[handlers.Malformed] = []string{fault}
				}
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// fault is what net/http has mended of a request that should be refused; "" if it has not.
func (c *headConn) fault(r *http.Request) string {
	coded := len(r.TransferEncoding) > 0
	if !coded && r.ProtoMinor > 0 && !c.folded() {
		return "" // nearly all
	}
	lines, known := c.lines(r)
	if !known {
		if coded || r.ProtoMinor == 0 {
			return "The request came before the one before it was answered, which a chunked or an HTTP/1.0 request must not."
		}
		return "" // what is folded is of another request
	}
	length := false
	for _, line := range lines {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			return "The request must not have folded header lines."
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = true
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			coded = true
		}
	}
	switch {
	case coded && length:
		return "The request must not have both Content-Length and Transfer-Encoding."
	case coded && r.ProtoMinor == 0:
		return "A request of HTTP/1.0 must not have a Transfer-Encoding."
	}
	return ""
}
