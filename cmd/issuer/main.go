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

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // refused or failed, with one clear line on standard error
	exitUsage  = 2 // wrong usage
)

func main() {
	ctx := untilSignal(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// untilSignal ends a context at the first of the signals. From then on they do what they
// do by default, so that a second one kills: whoever sees the graceful stop begin can rely
// on that.
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

// run is the whole program: the exit code for these arguments in this environment.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	a := &app{environ: environ, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	a.complain(cmd, err)
	if a.started {
		return exitFailed
	}
	return exitUsage
}

// complain says on standard error what went wrong: a line, or a line for each fault of
// the configuration.
func (a *app) complain(cmd *cobra.Command, err error) {
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
