package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"issuer.example/cmd/issuer/internal/server"
)

// reloadTimeout bounds a reload that SIGHUP asks for.
const reloadTimeout = 30 * time.Second

// catchSignals keeps SIGPIPE and SIGHUP from ending the program: the reader of the log may go
// away, and so may the terminal. It returns where SIGHUP arrives.
func catchSignals() <-chan os.Signal {
	signal.Ignore(syscall.SIGPIPE)
	// One that arrives during a reload asks for another one; further ones ask for the same.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	return hangups
}

// runServer runs the server until ctx ends, and reloads the configuration at each SIGHUP.
func runServer(ctx context.Context, srv *server.Server, hangups <-chan os.Signal) error {
	reloading, stop := context.WithCancel(ctx)
	var ended sync.WaitGroup
	ended.Go(func() { reloadAtSignals(reloading, srv, hangups) })
	defer ended.Wait()
	defer stop()
	return srv.Run(ctx)
}

// reloadAtSignals reloads the configuration at each signal until ctx ends.
func reloadAtSignals(ctx context.Context, srv *server.Server, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			limited, cancel := context.WithTimeout(ctx, reloadTimeout)
			_, _ = srv.Reload(limited) // it logs its outcome
			cancel()
		}
	}
}
