//go:build linux

package crashtest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/program"
	"issuer.example/internal/rounds"
)

// testTimeout is how long a test waits for a condition, and for an answer.
const testTimeout = 30 * time.Second

// built is the folder to remove at the end.
var built string

// build builds the program, once for all tests.
var build = sync.OnceValues(func() (program.Binary, error) {
	dir, err := os.MkdirTemp("", "issuer-crashtest-")
	if err != nil {
		return "", err
	}
	built = dir
	return program.Build(context.Background(), dir, raceDetector)
})

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	rounds.Parallel(8)
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

func binary(t *testing.T) program.Binary {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// setting is a whole number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// seeded is where a test's choices come from.
func seeded(t *testing.T) uint64 {
	t.Helper()
	seed := setting(t, "CRASHTEST_SEED", rand.Uint64())
	t.Logf("CRASHTEST_SEED=%d", seed)
	return seed
}

// site is a folder in which one issuer runs, again and again.
type site struct {
	t   *testing.T
	dir string
	key string // the service key
	// environ are settings besides those of the tests.
	environ []string
	p       *program.Process
	api     *api
}

// newSite prepares a folder.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	var err error
	if s.key, err = program.Prepare(s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// data is the path of the data file.
func (s *site) data() string { return filepath.Join(s.dir, "data/issuer.db") }

// command is the issuer with the settings of the tests. Access tokens outlive the test.
func (s *site) command(window time.Duration, more ...string) *exec.Cmd {
	s.t.Helper()
	environ := append(append(more, s.environ...), "ISSUER_ACCESS_TOKEN_LIFETIME=1h", "ISSUER_REFRESH_CONCURRENCY_WINDOW="+window.String())
	return binary(s.t).Command(s.t.Context(), s.dir, environ, "serve")
}

// checking makes the issuer read and check its whole file before it serves.
const checking = "ISSUER_STORE_CHECK=true"

// launch starts a command without waiting for it to serve. The test's end kills it.
func (s *site) launch(cmd *exec.Cmd) {
	s.t.Helper()
	p, err := program.Start(cmd)
	if err != nil {
		s.t.Fatal(err)
	}
	s.p = p
	s.t.Cleanup(func() {
		_ = p.Signal(os.Kill) // it may be gone already
		if _, err := p.Wait(context.Background()); err == nil && s.t.Failed() && p == s.p {
			s.t.Logf("the end of the program's log:\n%s", p.Log().Text())
		}
	})
}

// start starts the issuer, waits until it has checked its file and serves, and returns how
// long that took.
func (s *site) start(window time.Duration) time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.launch(s.command(window, checking))
	s.serving()
	return time.Since(begin)
}

func (s *site) serving() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), testTimeout)
	defer cancel()
	public, admin, err := s.p.Serving(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	s.api = newAPI(public, admin, s.key)
	s.t.Cleanup(s.api.close)
}

// stop asks the issuer to stop and checks that it ended well.
func (s *site) stop() {
	s.t.Helper()
	if err := s.p.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	s.stopped()
}

func (s *site) stopped() {
	s.t.Helper()
	if state := s.wait(); state.ExitCode() != 0 {
		s.t.Fatalf("the program ended with %v, want exit code 0", state)
	}
}

// kill kills the issuer, unless it has been killed already.
func (s *site) kill() {
	s.t.Helper()
	if err := s.p.Signal(os.Kill); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	s.killed()
}

// killed checks that the issuer was killed, and did not end by itself.
func (s *site) killed() {
	s.t.Helper()
	state := s.wait()
	if status, ok := state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		s.t.Fatalf("the program ended by itself: %v", state)
	}
}

func (s *site) wait() *os.ProcessState {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), testTimeout)
	defer cancel()
	state, err := s.p.Wait(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}
