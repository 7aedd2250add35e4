// Package server is the running issuer: it opens the store, the keys and the two
// listeners, serves, and stops without losing what it has accepted.
//
// [Open] gives a [Server] that listens already, so that a test can start it on port 0 and
// ask for its addresses; [Server.Run] serves until its context ends.
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

// grace is how long accepted requests may take to finish once the server stops.
const grace = 10 * time.Second

// Config is what a [Server] is made of.
type Config struct {
	// Settings are complete and checked. Required.
	Settings *config.Config
	// Logger is told what happens. Required.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Server is an issuer that listens.
type Server struct {
	log           *slog.Logger
	parts         *parts
	public, admin *endpoint
}

// endpoint is one listener and what answers on it.
type endpoint struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// Open opens the store and the keys and listens. On an error nothing stays open.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	parts, err := openParts(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{log: cfg.Logger, parts: parts}
	settings := cfg.Settings
	s.public, err = listen(ctx, "public", "listen", settings.Listen, publicServer(parts.handlers.Public(), cfg.Logger), settings.Limits.Connections)
	if err == nil {
		s.admin, err = listen(ctx, "admin", "admin.listen", settings.Admin.Listen, adminServer(parts.handlers.Admin(), cfg.Logger), adminConnections)
	}
	if err != nil {
		return nil, errors.Join(err, s.public.close(), parts.store.Close())
	}
	// Streams would otherwise hold up the end for as long as they may.
	s.public.server.RegisterOnShutdown(parts.feed.Stop)
	return s, nil
}

// PublicAddr is the address that the public listener has.
func (s *Server) PublicAddr() net.Addr { return s.public.listener.Addr() }

// AdminAddr is the address that the admin listener has.
func (s *Server) AdminAddr() net.Addr { return s.admin.listener.Addr() }

// Run serves until ctx ends or a part fails. Then it takes no more connections, lets the
// accepted requests finish for up to 10 s, stops the background work and closes the
// store. It is called once.
func (s *Server) Run(ctx context.Context) error {
	// Background work outlives the requests: they may depend on it.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var serving, working sync.WaitGroup
	for _, e := range []*endpoint{s.public, s.admin} {
		serving.Go(func() {
			if err := e.serve(); err != nil {
				fail(err)
			}
		})
	}
	for name, run := range s.parts.background() {
		working.Go(func() {
			if err := run(work); err != nil && work.Err() == nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	s.log.Info("serving", "public", s.PublicAddr().String(), "admin", s.AdminAddr().String())

	<-ctx.Done()
	s.log.Info("stopping: finishing what was accepted", "within", grace.String())
	err := failure(ctx)
	err = errors.Join(err, s.shutdown())
	serving.Wait()
	stopWork()
	working.Wait()
	if closed := s.parts.store.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("closing the store: %w", closed))
	}
	s.log.Info("stopped")
	return err
}

// failure is why a part ended the run; nil when it was asked to end.
func failure(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// shutdown ends both endpoints together, within the grace.
func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var (
		ends sync.WaitGroup
		errs [2]error
	)
	for i, e := range []*endpoint{s.public, s.admin} {
		ends.Go(func() { errs[i] = e.shutdown(ctx) })
	}
	ends.Wait()
	return errors.Join(errs[:]...)
}

// Close closes a server that was never run.
func (s *Server) Close() error {
	return errors.Join(s.public.close(), s.admin.close(), s.parts.store.Close())
}
