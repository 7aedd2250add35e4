package e2e_test

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/program"
)

// pipedIssuer is a program whose log the test reads, or does not read.
type pipedIssuer struct {
	*issuer
	log  *bufio.Reader
	pipe *os.File
	cmd  *exec.Cmd
}

func startPiped(t *testing.T, environ ...string) *pipedIssuer {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, t.TempDir(), append(anywhere(), environ...), "serve", "--dev")
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_ = w.Close() // the program has its own
	p := &pipedIssuer{issuer: &issuer{t: t, dir: cmd.Dir}, log: bufio.NewReader(r), pipe: r, cmd: cmd}
	for {
		line, err := p.log.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if entry, ok := program.ParseEntry(line); ok && entry.Message == "serving" {
			p.public, p.admin = "http://"+entry.Public, "http://"+entry.Admin
			return p
		}
	}
}

// flood makes the program log that many lines.
func (p *pipedIssuer) flood(lines int) {
	p.t.Helper()
	var clients sync.WaitGroup
	const together = 8
	for range together {
		clients.Go(func() {
			for range lines / together {
				res, err := http.Get(p.public + "/v1/session")
				if err != nil {
					p.t.Error(err)
					return
				}
				_ = res.Body.Close()
			}
		})
	}
	clients.Wait()
}

// ends stops the program and returns its exit code.
func (p *pipedIssuer) ends() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	late := time.AfterFunc(testTimeout, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait() // the exit code says it
	return p.cmd.ProcessState.ExitCode()
}

// A reader of the log that stops reading stops no request, and not the end of the program. When it
// reads again, a line says how many lines are missing.
func TestLogReaderThatStopsReading(t *testing.T) {
	t.Parallel()
	p := startPiped(t)
	p.flood(9_000) // more than a pipe and the buffer hold
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.public+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("/healthz: %v, %v", res, err)
	}
	_ = res.Body.Close()
	for {
		line, err := p.log.ReadString('\n')
		if err != nil {
			t.Fatal("the log ends without saying that lines were dropped")
		}
		if strings.Contains(line, "lines of the log were dropped") {
			break
		}
	}
	if text := string(p.metrics()); !strings.Contains(text, "\nissuer_log_lines_dropped_total ") || strings.Contains(text, "\nissuer_log_lines_dropped_total 0\n") {
		t.Error("the metrics do not count what was dropped")
	}
	p.flood(1_000) // more than a pipe holds
	if code := p.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A reader of the log that goes away does not end the program.
func TestLogReaderThatGoesAway(t *testing.T) {
	t.Parallel()
	p := startPiped(t)
	if err := p.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if status := p.call("GET", "/v1/session", "", "", nil); status != http.StatusUnauthorized {
			t.Fatalf("it answers %d", status)
		}
	}
	if code := p.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
