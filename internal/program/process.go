package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrEnded means that the program ended before the expected event.
var ErrEnded = errors.New("the program has ended")

// refusalTimeout bounds the time that a program takes to refuse, on a busy machine.
const refusalTimeout = 20 * time.Second

// Process is a running issuer.
type Process struct {
	cmd   *exec.Cmd
	log   *Log
	ended chan struct{} // closed when the process has ended and its log is read
}

// Start starts a command that writes the issuer's log to standard error.
func Start(cmd *exec.Cmd) (*Process, error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the program: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the program: %w", err)
	}
	p := &Process{cmd: cmd, log: newLog(), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.log.read(stderr)
		_ = cmd.Wait() // the outcome is in ProcessState
	}()
	return p, nil
}

// Log returns what the program has written to standard error.
func (p *Process) Log() *Log { return p.log }

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends the process a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Wait waits for the process to end, or for ctx.
func (p *Process) Wait(ctx context.Context) (*os.ProcessState, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the program to end: %w", context.Cause(ctx))
	}
}

// Serving waits until the program serves and returns the URLs of its listeners.
func (p *Process) Serving(ctx context.Context) (public, admin string, err error) {
	entry, err := p.log.Await(ctx, "serving")
	if err != nil {
		return "", "", err
	}
	return "http://" + entry.Public, "http://" + entry.Admin, nil
}

// Refusal runs a command that must refuse: exit code 1 and one line on standard error, which
// it returns. Anything else is an error.
func Refusal(cmd *exec.Cmd) (string, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("running the program: %w", err)
	}
	defer time.AfterFunc(refusalTimeout, func() { _ = cmd.Process.Kill() }).Stop()
	err := cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok && err != nil {
		return "", fmt.Errorf("running the program: %w", err)
	}
	line, rest, _ := strings.Cut(stderr.String(), "\n")
	if cmd.ProcessState.ExitCode() != 1 || rest != "" || !strings.HasPrefix(line, "issuer: ") {
		return "", fmt.Errorf("the program ended with %v and wrote %q, want exit code 1 and one line that begins with its name", cmd.ProcessState, stderr.String())
	}
	return line, nil
}
