package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// readHeaderTimeout bounds how slowly a header may come, readTimeout header and body.
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	// publicWriteTimeout bounds an answer of the public listener.
	publicWriteTimeout = 30 * time.Second
	// adminWriteTimeout leaves time for a profile.
	adminWriteTimeout = 5 * time.Minute
	idleTimeout       = time.Minute
	// maxStreams is how many requests an HTTP/2 connection may have at once.
	maxStreams = 128
	// writeByteTimeout ends an HTTP/2 connection whose client takes nothing.
	writeByteTimeout = 10 * time.Second
	maxHeaderBytes   = 16 << 10
	// adminConnections is the cap of the admin listener. It is its own, so that a flood
	// of the public one leaves it reachable.
	adminConnections = 256
)

func publicServer(h http.Handler, log *slog.Logger) *http.Server {
	s := newServer(h, log, publicWriteTimeout)
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	// Without TLS, from a proxy or a service that knows beforehand: streams of the
	// revocation feed share a connection then.
	s.Protocols.SetUnencryptedHTTP2(true)
	s.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerStream:     64 << 10, // as much as a body may have
		MaxReceiveBufferPerConnection: 256 << 10,
		SendPingTimeout:               idleTimeout / 2,
		WriteByteTimeout:              writeByteTimeout,
	}
	return s
}

func adminServer(h http.Handler, log *slog.Logger) *http.Server {
	return newServer(h, log, adminWriteTimeout)
}

func newServer(h http.Handler, log *slog.Logger, write time.Duration) *http.Server {
	return &http.Server{
		Handler: closeUncertain(h),
		// Otherwise net/http itself would answer OPTIONS * and leave the connection open.
		DisableGeneralOptionsHandler: true,

		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      write,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What net/http says itself is about connections of clients: their doing.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// listen opens a listener that holds at most so many connections at once; further ones
// wait in the kernel's queue.
func listen(ctx context.Context, name, setting, address string, server *http.Server, connections int) (*endpoint, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening the %s listener (%s): %w", name, setting, err)
	}
	return &endpoint{name: name, listener: netutil.LimitListener(l, connections), server: server}, nil
}

// serve answers until the endpoint is shut down.
func (e *endpoint) serve() error {
	if err := e.server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the %s listener: %w", e.name, err)
	}
	return nil
}

// shutdown takes no more connections and waits for the accepted requests; those that are
// not done when ctx ends are cut off, which is an error.
func (e *endpoint) shutdown(ctx context.Context) error {
	if err := e.server.Shutdown(ctx); err != nil {
		_ = e.server.Close() // the requests that it cuts off are what the error is about
		return fmt.Errorf("stopping the %s listener: requests were cut off: %w", e.name, err)
	}
	return nil
}

// close closes an endpoint that does not serve; a missing one is closed already.
func (e *endpoint) close() error {
	if e == nil {
		return nil
	}
	return e.listener.Close()
}
