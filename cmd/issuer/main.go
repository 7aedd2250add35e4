// Command issuer is a session service: it mints short-lived access tokens and rotating
// refresh tokens, and tells every verifier which sessions are revoked.
//
// `issuer serve --dev` needs no preparation; `issuer --help` lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // refused or failed, with one clear line on standard error
	exitUsage  = 2 // wrong usage
)

func main() {
	ctx := untilSignal(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// untilSignal returns a context that ends at the first of the signals. From then on signals
// have their default effect: a second one kills the program during its graceful stop.
func untilSignal(ctx context.Context, signals ...os.Signal) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	go func() { // ends with the program
		<-caught
		signal.Stop(caught)
		cancel()
	}()
	return ctx
}

// run runs the program with these arguments in this environment and returns its exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	a := &app{environ: environ, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	a.printErrorWithin(errorGrace, cmd, err)
	if a.started {
		return exitFailed
	}
	return exitUsage
}

// errorGrace is how long the program waits for standard error to accept its last line.
const errorGrace = 100 * time.Millisecond

// printErrorWithin prints what went wrong, but does not wait for a reader of standard error that
// does not read.
func (a *app) printErrorWithin(grace time.Duration, cmd *cobra.Command, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.printError(cmd, err)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// printError prints what went wrong on standard error: one line, or one line for each fault
// of the configuration.
func (a *app) printError(cmd *cobra.Command, err error) {
	var faults config.Faults
	switch {
	case errors.As(err, &faults) && len(faults) == 1:
		fmt.Fprintf(a.stderr, "issuer: %v\n", faults)
	case errors.As(err, &faults):
		fmt.Fprintf(a.stderr, "%v\nissuer: the configuration has %d faults\n", faults, len(faults))
	case !a.started:
		fmt.Fprintf(a.stderr, "issuer: %s; `%s --help` says more\n", oneLine(err.Error()), cmd.CommandPath())
	default:
		fmt.Fprintf(a.stderr, "issuer: %s\n", oneLine(err.Error()))
	}
}
