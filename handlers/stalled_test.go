package handlers_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/revocation/list"
)

// single is a listener for one connection.
type single struct {
	conns chan net.Conn
	done  chan struct{}
}

func (s single) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s single) Close() error   { close(s.done); return nil }
func (s single) Addr() net.Addr { return &net.UnixAddr{} }

// TestStreamEndsForAStalledClient: a client that has stopped reading when its stream ends does not hold its
// connection for ever. A pipe has no buffer, so the end of the answer cannot be written.
func TestStreamEndsForAStalledClient(t *testing.T) {
	t.Parallel()
	var server *handlers.Server
	f := newFixture(t, func(s *settings) {
		handlers.SetFrameTimeout(&s.http, 2*time.Second)
		server = newServer(t, s)
	})
	reader, conn := net.Pipe()
	l, closed := single{make(chan net.Conn, 1), make(chan struct{})}, make(chan struct{})
	l.conns <- conn
	s := &http.Server{Handler: server.Public(), ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	_, err := io.WriteString(reader, "GET /v1/revocations/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+
		serviceKey(client.ScopeReadRevocations)+"\r\n\r\n")
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(reader), nil)
	must(t, err)
	f.readUntil(t, list.NewFrameReader(res.Body), 0)
	f.feed.Stop()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection is still open")
	}
}
