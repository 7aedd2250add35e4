package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/program"
	"issuer.example/internal/rounds"
)

// testTimeout is how long a test waits for a condition or a process.
const testTimeout = 30 * time.Second

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (program.Binary, error) {
	dir, err := os.MkdirTemp("", "issuer-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	return program.Build(context.Background(), dir, raceDetector)
})

// built is the folder to remove at the end.
var built string

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	rounds.Parallel(8)
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// command is the program with arguments, in a folder, with no other variables than these. It
// is killed at the end of the test.
func command(t *testing.T, dir string, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	b, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// By default the race detector makes every command linger for a second.
	environ = append([]string{"GORACE=halt_on_error=1 atexit_sleep_ms=0"}, environ...)
	return b.Command(t.Context(), dir, environ, args...)
}

// soon is a context that ends after testTimeout.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// result is the exit code and the output of a command.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command until it ends.
func run(t *testing.T, dir string, environ []string, args ...string) result {
	t.Helper()
	return runCommand(t, command(t, dir, environ, args...))
}

// runCommand runs a prepared command until it ends.
func runCommand(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(testTimeout, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		t.Fatalf("%v does not end:\n%s", cmd.Args, stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// failed checks that a command was refused with one line that holds each of the texts.
func (r result) failed(t *testing.T, texts ...string) {
	t.Helper()
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "issuer: ") {
		t.Errorf("standard error does not end in a line of the program's: %q", r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(last, text) {
			t.Errorf("the line %q does not hold %q", last, text)
		}
	}
}

// issuer is a running program.
type issuer struct {
	*program.Process

	t             *testing.T
	dir           string
	public, admin string // URLs
	stdout        string // the file that it prints to
}

// anywhere makes the program listen on ports that the system chooses.
func anywhere() []string {
	return []string{"ISSUER_LISTEN=127.0.0.1:0", "ISSUER_ADMIN_LISTEN=127.0.0.1:0"}
}

// startDev starts `issuer serve --dev` in dir and waits until it serves.
func startDev(t *testing.T, dir string, environ ...string) *issuer {
	t.Helper()
	return start(t, command(t, dir, append(anywhere(), environ...), "serve", "--dev"))
}

// start starts a command that serves and waits until it does. The test's end kills it.
func start(t *testing.T, cmd *exec.Cmd) *issuer {
	t.Helper()
	// A file and not a pipe: what was printed before "serving" is there to read then.
	stdout, err := os.CreateTemp(t.TempDir(), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdout.Close() }() // the program has its own
	cmd.Stdout = stdout
	p, err := program.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{Process: p, t: t, dir: cmd.Dir, stdout: stdout.Name()}
	t.Cleanup(func() {
		_ = p.Signal(os.Kill) // it may be gone already
		if _, err := p.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the program:\n%s", p.Log().Text())
		}
	})
	if i.public, i.admin, err = p.Serving(soon(t)); err != nil {
		t.Fatal(err)
	}
	return i
}

// stop asks the process to stop and checks that it ended well.
func (i *issuer) stop() {
	i.t.Helper()
	i.signal(syscall.SIGTERM)
	if state := i.wait(); state.ExitCode() != 0 {
		i.t.Errorf("the program ended with %v after SIGTERM", state)
	}
}

func (i *issuer) signal(s os.Signal) {
	i.t.Helper()
	if err := i.Signal(s); err != nil {
		i.t.Fatal(err)
	}
}

// wait waits for the process to end.
func (i *issuer) wait() *os.ProcessState {
	i.t.Helper()
	state, err := i.Wait(soon(i.t))
	if err != nil {
		i.t.Fatal(err)
	}
	return state
}

// awaitStopping waits until the program has begun to stop.
func (i *issuer) awaitStopping() {
	i.t.Helper()
	if _, err := i.Log().Await(soon(i.t), "stopping: finishing what was accepted"); err != nil {
		i.t.Fatal(err)
	}
}

// printed is what the program has written to standard output.
func (i *issuer) printed() string {
	i.t.Helper()
	text, err := os.ReadFile(i.stdout)
	if err != nil {
		i.t.Fatal(err)
	}
	return string(text)
}

// cli runs a command that calls this issuer, with the key that --dev made.
func (i *issuer) cli(args ...string) result {
	i.t.Helper()
	return run(i.t, i.dir, []string{"ISSUER_ADMIN_URL=" + i.admin}, args...)
}

// serviceKey is the key that --dev made for backends.
func (i *issuer) serviceKey() string {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, "data/dev/service.key"))
	if err != nil {
		i.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// grant is what mint and refresh answer, as far as the tests look.
type grant struct {
	Session struct {
		ID string `json:"id"`
	} `json:"session"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Code         string `json:"code"`
}

// call sends a request and reads its JSON answer.
func (i *issuer) call(method, path, bearer, body string, into any) int {
	i.t.Helper()
	req, err := http.NewRequest(method, i.public+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	if into != nil && len(text) > 0 {
		if err := json.Unmarshal(text, into); err != nil {
			i.t.Fatalf("%s %s answered %q: %v", method, path, text, err)
		}
	}
	return res.StatusCode
}

// mint begins a session.
func (i *issuer) mint(user string) grant {
	i.t.Helper()
	var g grant
	body := fmt.Sprintf(`{"user": {"id": %q}}`, user)
	if status := i.call("POST", "/v1/sessions", i.serviceKey(), body, &g); status != http.StatusCreated {
		i.t.Fatalf("mint answered %d", status)
	}
	return g
}

// refresh redeems a refresh token.
func (i *issuer) refresh(token string) (grant, int) {
	i.t.Helper()
	var g grant
	status := i.call("POST", "/v1/session/refresh", "", fmt.Sprintf(`{"refresh_token": %q}`, token), &g)
	return g, status
}
