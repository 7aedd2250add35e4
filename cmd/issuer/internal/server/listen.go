package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// readHeaderTimeout bounds the reading of a header, readTimeout that of header and body.
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	// publicWriteTimeout bounds an answer of the public listener. Streams of the feed extend it.
	publicWriteTimeout = 30 * time.Second
	// adminWriteTimeout bounds an answer of the admin listener. It leaves time for a profile.
	adminWriteTimeout = 5 * time.Minute
	// pingAfter is after what silence an HTTP/2 connection is asked whether it still lives.
	pingAfter = 30 * time.Second
	// maxStreams bounds the concurrent requests of an HTTP/2 connection.
	maxStreams = 128
	// writeByteTimeout ends an HTTP/2 connection whose client does not read.
	writeByteTimeout = 10 * time.Second
	maxHeaderBytes   = 16 << 10
	// adminConnections bounds the connections of the admin listener. It is a separate limit, so
	// that a flood of the public listener leaves the admin listener reachable.
	adminConnections = 256
)

// publicServer makes the server of the public listener. idle is how long a connection without a
// request stays open.
func publicServer(h http.Handler, log *slog.Logger, idle time.Duration) *http.Server {
	s := newServer(h, log, publicWriteTimeout, idle)
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	// HTTP/2 without TLS, for a proxy or service that is configured for it. Its streams of the
	// revocation feed share one connection.
	s.Protocols.SetUnencryptedHTTP2(true)
	s.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerStream:     64 << 10, // the largest body
		MaxReceiveBufferPerConnection: 256 << 10,
		SendPingTimeout:               pingAfter,
		WriteByteTimeout:              writeByteTimeout,
	}
	return s
}

func adminServer(h http.Handler, log *slog.Logger, idle time.Duration) *http.Server {
	return newServer(h, log, adminWriteTimeout, idle)
}

func newServer(h http.Handler, log *slog.Logger, write, idle time.Duration) *http.Server {
	return &http.Server{
		Handler: closeUncertain(h),
		// Otherwise net/http itself would answer OPTIONS * and leave the connection open.
		DisableGeneralOptionsHandler: true,

		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      write,
		IdleTimeout:       idle,
		MaxHeaderBytes:    maxHeaderBytes,
		// What net/http logs is about faults of clients.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// listen opens a listener that accepts at most that many connections at once. Further ones
// wait in the queue of the kernel. setting is the key of the address in the configuration.
func listen(ctx context.Context, name, setting, address string, server *http.Server, connections int) (*endpoint, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening the %s listener (%s): %w", name, setting, err)
	}
	return &endpoint{name: name, listener: newLimitListener(l, connections), server: server}, nil
}

// serve answers requests until the endpoint is shut down.
func (e *endpoint) serve() error {
	if err := e.server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the %s listener: %w", e.name, err)
	}
	return nil
}

// shutdown accepts no more connections and waits for the accepted requests. It is an error if
// ctx ends first; then the connections are closed.
func (e *endpoint) shutdown(ctx context.Context) error {
	if err := e.server.Shutdown(ctx); err != nil {
		_ = e.server.Close() // the error below reports it
		return fmt.Errorf("stopping the %s listener: requests were cut off: %w", e.name, err)
	}
	return nil
}

// close closes an endpoint that does not serve. The endpoint may be nil.
func (e *endpoint) close() error {
	if e == nil {
		return nil
	}
	return e.listener.Close()
}
