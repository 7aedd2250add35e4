//go:build linux

package crashtest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attach runs the program as the child of a shell that becomes an strace of it on demand: a
// parent may attach without privileges.
const attach = `"$@" & echo $!; read -r inject && exec strace -f -qq -o /dev/null -e "inject=$inject" -p $!`

// traced is a site that can make the program's system calls fail.
type traced struct {
	*site
	pid     int // of the program; the process of site is the shell
	control io.WriteCloser
}

// startTraced starts the issuer and waits until it serves.
func (s *site) startTraced(window time.Duration) *traced {
	s.t.Helper()
	cmd := s.command(window)
	shell := exec.CommandContext(s.t.Context(), "sh", append([]string{"-c", attach, "sh"}, cmd.Args...)...)
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	control, err := shell.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stdout, err := shell.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.launch(shell)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // it may be gone already
	s.serving()
	return &traced{site: s, pid: pid, control: control}
}

// inject makes system calls fail from now on, as `strace -e inject=` says. It is done once.
func (s *traced) inject(fault string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.control, fault); err != nil {
		s.t.Fatal(err)
	}
}

// endInjection makes system calls succeed again.
func (s *traced) endInjection() {
	s.t.Helper()
	if err := s.p.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
}

// kill kills the program and waits until it is gone.
func (s *traced) kill() {
	s.t.Helper()
	if err := syscall.Kill(s.pid, syscall.SIGKILL); err != nil {
		s.t.Fatalf("killing the program: %v", err)
	}
	_ = s.p.Signal(os.Kill) // the shell, or strace, if it is there yet
	s.wait()
}
