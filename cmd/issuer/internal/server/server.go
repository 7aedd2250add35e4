// Package server runs the issuer: it opens the store, the keys and the two listeners, serves,
// and finishes the accepted requests before it stops.
//
// [Open] returns a [Server] that listens already, so that a test can start it on port 0 and
// read its addresses. [Server.Run] serves until its context ends.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"issuer.example/cmd/issuer/internal/config"
)

// Config configures a [Server].
type Config struct {
	// Settings are the checked configuration. Required.
	Settings *config.Config
	// Logger is required.
	Logger *slog.Logger
	// Load reads the configuration anew, for [Server.Reload]. Nil: it cannot be reloaded.
	Load func() (*config.Config, error)
	// SetLogLevel changes the level of Logger. Nil: it cannot change.
	SetLogLevel func(slog.Level)
	// LogDropped is how many lines of the log were dropped. Nil: that is not known.
	LogDropped func() int64
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Server is an issuer that listens.
type Server struct {
	cfg           Config
	log           *slog.Logger
	parts         *parts
	public, admin *endpoint
	live          live
}

// endpoint is a listener and the HTTP server on it.
type endpoint struct {
	name     string
	listener *limitListener
	server   *http.Server
}

// Open opens the store and the keys and listens. When it returns an error, nothing stays open.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	secrets, err := loadSecrets(cfg.Settings.Secrets)
	if err != nil {
		return nil, err
	}
	settings := cfg.Settings
	s := &Server{cfg: cfg, log: cfg.Logger, live: live{settings: settings, secrets: secrets}}
	parts, err := openParts(ctx, cfg, secrets, s.Reload)
	if err != nil {
		return nil, err
	}
	s.parts = parts
	s.public, err = listen(ctx, "public", "listen", settings.Listen, publicServer(parts.handlers.Public(), cfg.Logger, settings.Limits.IdleConnection), settings.Limits.Connections)
	if err == nil {
		s.admin, err = listen(ctx, "admin", "admin.listen", settings.Admin.Listen, adminServer(parts.handlers.Admin(), cfg.Logger, settings.Limits.IdleConnection), adminConnections)
	}
	if err != nil {
		return nil, errors.Join(err, s.public.close(), parts.store.Close())
	}
	// Otherwise the streams of the feed would delay the stop.
	s.public.server.RegisterOnShutdown(parts.feed.Stop)
	return s, nil
}

// PublicAddr returns the address of the public listener.
func (s *Server) PublicAddr() net.Addr { return s.public.listener.Addr() }

// AdminAddr returns the address of the admin listener.
func (s *Server) AdminAddr() net.Addr { return s.admin.listener.Addr() }

// Run serves until ctx ends or a part fails. Then it accepts no more connections, lets the
// accepted requests finish, stops the background work and closes the store. All of that
// takes less than 10 s; what did not end by then is in the error. Run may be called once.
func (s *Server) Run(ctx context.Context) error {
	// Background work outlives the requests, which may depend on it.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var serving, working sync.WaitGroup
	s.serve(&serving, fail)
	s.work(work, &working, fail)
	s.log.Info("serving", "public", s.PublicAddr().String(), "admin", s.AdminAddr().String())

	<-ctx.Done()
	s.log.Info("stopping: finishing what was accepted", "within", drainGrace.String())
	err := errors.Join(failure(ctx), s.stop(stopWork, &working))
	serving.Wait()
	s.log.Info("stopped")
	return err
}

// serve answers requests on both endpoints until they are shut down.
func (s *Server) serve(serving *sync.WaitGroup, fail context.CancelCauseFunc) {
	for _, e := range []*endpoint{s.public, s.admin} {
		serving.Go(func() {
			if err := e.serve(); err != nil {
				fail(err)
			}
		})
	}
}

// work does the background work until ctx ends.
func (s *Server) work(ctx context.Context, working *sync.WaitGroup, fail context.CancelCauseFunc) {
	for name, run := range s.parts.background() {
		working.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
}

// failure is the error of the part that ended the run; nil when ctx ended because the caller
// ended it.
func failure(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// Close closes a server that was never run.
func (s *Server) Close() error {
	return errors.Join(s.public.close(), s.admin.close(), s.parts.store.Close())
}
