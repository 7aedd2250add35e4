package e2e_test

import (
	"bufio"
	"bytes"
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
)

// patience is how long a test waits for something that takes a moment.
const patience = 30 * time.Second

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "issuer-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	args := []string{"build", "-o", filepath.Join(dir, "issuer")}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "issuer.example/cmd/issuer")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return filepath.Join(dir, "issuer"), nil
})

// built is the folder to remove at the end.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// command is the program with arguments, in a folder, with variables of ours only.
func command(t *testing.T, dir string, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GORACE=halt_on_error=1 atexit_sleep_ms=0"}, environ...)
	return cmd
}

// result is what a command that has ended left behind.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end.
func run(t *testing.T, dir string, environ []string, args ...string) result {
	t.Helper()
	cmd := command(t, dir, environ, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		t.Fatalf("%v does not end:\n%s", args, stderr.String())
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
	t             *testing.T
	dir           string
	cmd           *exec.Cmd
	public, admin string // URLs
	stdout        string // the file that it prints to
	log           *logbook
	ended         chan struct{} // closed when the process is gone
}

// anywhere makes the program listen on free ports.
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
	i := &issuer{t: t, dir: cmd.Dir, cmd: cmd, log: newLogbook(), ended: make(chan struct{})}
	// A file and not a pipe: what was printed before "serving" is there to read then.
	stdout, err := os.CreateTemp(t.TempDir(), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdout.Close() }() // the program has its own
	i.stdout, cmd.Stdout = stdout.Name(), stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(i.ended)
		i.log.read(stderr)
		_ = cmd.Wait() // its outcome is in cmd.ProcessState
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone already
		<-i.ended
		if t.Failed() {
			t.Logf("log of the program:\n%s", i.log.text())
		}
	})
	line := i.log.wait(t, "serving")
	i.public, i.admin = "http://"+line["public"].(string), "http://"+line["admin"].(string)
	return i
}

// stop asks the process to stop and checks that it ended well.
func (i *issuer) stop() {
	i.t.Helper()
	i.signal(syscall.SIGTERM)
	if code := i.wait(); code != 0 {
		i.t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

func (i *issuer) signal(s os.Signal) {
	i.t.Helper()
	if err := i.cmd.Process.Signal(s); err != nil {
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

// wait waits for the process to end and returns its exit code.
func (i *issuer) wait() int {
	i.t.Helper()
	select {
	case <-i.ended:
	case <-time.After(patience):
		i.t.Fatal("the program does not end")
	}
	return i.cmd.ProcessState.ExitCode()
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

// logbook is the log of a program, which grows as it runs.
type logbook struct {
	mu      sync.Mutex
	raw     strings.Builder
	entries []map[string]any
	grown   chan struct{} // replaced at each new line
	closed  bool
}

func newLogbook() *logbook { return &logbook{grown: make(chan struct{})} }

// read takes in the log until it ends.
func (l *logbook) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		l.add(line, err != nil)
		if err != nil {
			return
		}
	}
}

func (l *logbook) add(line string, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw.WriteString(line)
	var entry map[string]any
	if json.Unmarshal([]byte(line), &entry) == nil {
		l.entries = append(l.entries, entry)
	}
	l.closed = l.closed || last
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.String()
}

// wait waits for an entry with this message.
func (l *logbook) wait(t *testing.T, message string) map[string]any {
	t.Helper()
	timeout := time.After(patience)
	for {
		entry, grown, closed := l.find(message)
		if entry != nil {
			return entry
		}
		if closed {
			t.Fatalf("the program ended before it said %q:\n%s", message, l.text())
		}
		select {
		case <-grown:
		case <-timeout:
			t.Fatalf("the program does not say %q:\n%s", message, l.text())
		}
	}
}

func (l *logbook) find(message string) (entry map[string]any, grown chan struct{}, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if text, _ := e["msg"].(string); strings.HasPrefix(text, message) {
			return e, l.grown, l.closed
		}
	}
	return nil, l.grown, l.closed
}
