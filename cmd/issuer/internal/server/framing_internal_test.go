package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// oneConn is a listener with one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conn:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// answered sends text on a connection and returns the requests that the handler was given
// until the server closed it.
func answered(t *testing.T, text string) []*http.Request {
	t.Helper()
	var requests []*http.Request // by one connection, so one at a time
	s := newServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
	}), slog.New(slog.DiscardHandler), time.Minute, time.Minute)
	theirs, ours := net.Pipe()
	l := &oneConn{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- theirs
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends with the listener
	}()
	go func() {
		_, _ = io.WriteString(ours, text)
		_, _ = io.WriteString(ours, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") // fails when the server has closed
		_, _ = io.WriteString(ours, "\r\n\r\n")
	}()
	// Whatever the text was, the server closes for the last request, or for what it cannot read.
	_ = ours.SetDeadline(time.Now().Add(readTimeout + readHeaderTimeout))
	_, _ = io.Copy(io.Discard, ours)
	_ = ours.Close()
	_ = s.Close()
	<-done
	return requests
}

// H01: whatever the bytes are, no request is answered behind one whose end is uncertain.
func FuzzSmuggling(f *testing.F) {
	const line = "POST /x HTTP/1.1\r\nHost: a\r\n"
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, seed := range []string{
		get + get, line + "Content-Length: 2\r\n\r\n{}" + get, line + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
		line + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get, "GET / HTTP/1.0\n\n" + get,
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get, "\r\n\r\n" + line + "A: b\r\n c\r\n\r\n" + get,
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
		"PRI * HTTP/2.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
		line + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + get, line + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		requests := answered(t, text)
		for i, r := range requests {
			uncertain := len(r.TransferEncoding) > 0 || strings.HasPrefix(r.Proto, "HTTP/1.0")
			if uncertain && i < len(requests)-1 {
				t.Errorf("%s %s, with %q, is followed by %s %s", r.Method, r.Proto, r.TransferEncoding, requests[i+1].Method, requests[i+1].RequestURI)
			}
		}
	})
}
