package server

import (
	"bytes"
	"context"
	"math"
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

// maxHead is as much as net/http reads of a header before it refuses it, and what it reads
// ahead.
const maxHead = maxHeaderBytes + 12<<10

// preface is the header that HTTP/2 begins with. After one like it no HTTP/1 goes on.
const preface = "PRI * HTTP/2.0\r"

type headConn struct {
	net.Conn

	mu     sync.Mutex
	framed bool   // it is HTTP/2, which has no such headers
	body   int64  // what is still to come of the body of the request that is being answered
	head   []byte // the request behind that, as far as it has come: its header and what follows
	end    int    // where that header ends; 0 as long as it has no end
	folds  bool   // a line of it begins with white space
}

// Read keeps what it reads.
func (c *headConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		body := min(c.body, int64(n))
		c.body -= body
		c.keep(p[body:n])
	}
	return n, err
}

// keep keeps what comes of a request. The caller holds the lock, as for all below.
func (c *headConn) keep(text []byte) {
	if len(c.head) == 0 {
		text = bytes.TrimLeft(text, "\r\n") // net/http skips them behind a POST
	}
	if len(c.head) > maxHead {
		return
	}
	from := max(len(c.head)-2, 0) // what was read last may have ended with a line, or in its end
	c.head = append(c.head, text...)
	if c.end == 0 {
		c.scan(from)
	}
}

// scan looks at how the lines begin, up to the end of the header.
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
		case next[0] == '\n':
			c.end = from + 1
		case len(next) > 1 && next[0] == '\r' && next[1] == '\n':
			c.end = from + 2
		case next[0] == ' ', next[0] == '\t':
			c.folds = true
		}
		if c.end > 0 {
			if c.framed = string(c.head[:from-1]) == preface; c.framed {
				c.stop()
			}
			return
		}
	}
}

// stop keeps nothing more.
func (c *headConn) stop() { c.head, c.end, c.body = nil, 0, math.MaxInt64 }

// next goes on to the request behind this one, whose header is over. It lets go of a large
// one: neither a long answer nor an idle connection should cost what it did.
func (c *headConn) next(r *http.Request) {
	if c.end == 0 || r.ContentLength < 0 { // where a chunked body ends is not known, nor does the connection go on
		c.stop()
		return
	}
	rest := c.head[c.end:]
	body := min(r.ContentLength, int64(len(rest)))
	c.body, rest = r.ContentLength-body, rest[body:]
	if c.head = c.head[:0]; cap(c.head) > 2<<10 {
		c.head = nil
	}
	c.end, c.folds = 0, false
	c.keep(rest)
}

// lines are the header's lines, without that of the request; ok is false if what was kept
// is not of this request, which would be our mistake.
func (c *headConn) lines(r *http.Request) (lines [][]byte, ok bool) {
	lines = bytes.Split(c.head[:c.end], []byte("\n"))
	begins := string(bytes.TrimSuffix(lines[0], []byte("\r")))
	return lines[1:], begins == r.Method+" "+r.RequestURI+" "+r.Proto
}

// connKey finds the connection in the context of its requests.
type connKey struct{}

// withHeads makes a server, which listens with a headListener, show what net/http hides.
func withHeads(s *http.Server) {
	handler := s.Handler
	s.DisableGeneralOptionsHandler = true // it answers OPTIONS * before anyone can look at it
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*headConn); ok {
			if fault := c.look(r); fault != "" {
				r.Header[handlers.Malformed] = []string{fault}
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// look finds the fault of a request, once, before it is answered.
func (c *headConn) look(r *http.Request) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.framed {
		return ""
	}
	defer c.next(r)
	return c.fault(r)
}

// fault is what net/http has mended of a request that should be refused; "" if it has not.
func (c *headConn) fault(r *http.Request) string {
	coded, length := len(r.TransferEncoding) > 0, false
	if !coded && r.ProtoMinor > 0 && !c.folds {
		return "" // nearly all
	}
	lines, known := c.lines(r)
	if !known {
		return "The request cannot be told from the one before it."
	}
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
