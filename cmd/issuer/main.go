// Command issuer is a session service: it mints short-lived access tokens and rotating
// refresh tokens, and revokes them so that it holds.
//
// `issuer serve --dev` needs nothing prepared; `issuer --help` lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"issuer.example/cmd/issuer/internal/config"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // refused or failed, with one clear line on standard error
	exitUsage  = 2 // wrong usage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal has begun the graceful stop, a second one kills.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: the exit code for these arguments in this environment.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	a := &app{environ: environ, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	a.complain(err)
	if a.started {
		return exitFailed
	}
	return exitUsage
}

// complain says on standard error what went wrong: a line, or a line for each fault of
// the configuration.
func (a *app) complain(err error) {
	var faults config.Faults
	switch {
	case errors.As(err, &faults) && len(faults) == 1:
		fmt.Fprintf(a.stderr, "issuer: %v\n", faults)
	case errors.As(err, &faults):
		fmt.Fprintf(a.stderr, "%v\nissuer: the configuration has %d faults\n", faults, len(faults))
	case !a.started:
		fmt.Fprintf(a.stderr, "issuer: %v; `issuer --help` lists the commands\n", err)
	default:
		fmt.Fprintf(a.stderr, "issuer: %s\n", oneLine(err.Error()))
	}
}
