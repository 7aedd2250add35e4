//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"issuer.example/jwt"
)

var algorithms = []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256}

// verifier is a program around one library.
type verifier struct {
	// name is the library's, as its users write it.
	name string
	// folder is where the program is. Its commands run there.
	folder string
	// needs are programs of the machine. Where one is missing the verifier is left out,
	// unless CI=true.
	needs []string
	// prepare are the commands that make the program ready, run once.
	prepare [][]string
	// command starts the program.
	command []string
	// algorithms are those that the library knows. It must refuse the tokens of others.
	algorithms []jwt.Algorithm
	// anyType says why the library accepts every typ; empty when it checks the typ.
	anyType string
	// lag is how much later than others it learns of a change of keys.
	lag lag
}

// lag is how much time a library takes with a change of keys. Zero is what the issuer counts on.
type lag struct {
	// rotation is how long after a new key began to sign its tokens are refused.
	rotation time.Duration
	// withdrawal is how long, beyond the max-age of the JWKS, tokens of a key are accepted
	// that has gone, and those of a key refused that took its place without a warning.
	withdrawal time.Duration
	// because is why.
	because string
}

// knows tells whether the library knows an algorithm.
func (v verifier) knows(alg jwt.Algorithm) bool { return slices.Contains(v.algorithms, alg) }

// tell says what the library can't do.
func (v verifier) tell(t *testing.T) {
	t.Helper()
	if v.anyType != "" {
		t.Logf("%s accepts any typ: %s", v.name, v.anyType)
	}
	if v.lag != (lag{}) {
		t.Logf("%s is late by %v (rotation) and %v (withdrawal): %s", v.name, v.lag.rotation, v.lag.withdrawal, v.lag.because)
	}
	for _, alg := range algorithms {
		if !v.knows(alg) {
			t.Logf("%s does not know %s", v.name, alg)
		}
	}
}

// missing is the first program that the verifier needs and the machine lacks.
func (v verifier) missing() string {
	for _, program := range v.needs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}

// ready runs what the verifier's program must be prepared with.
func (v verifier) ready(ctx context.Context) error {
	for _, command := range v.prepare {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir = v.folder
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %s: %w\n%s", v.name, strings.Join(command, " "), err, out)
		}
	}
	return nil
}

// service is a running program of a verifier.
type service struct {
	verifier

	url   string
	log   *strings.Builder
	ended chan struct{} // closed when the process is gone
	state func() *os.ProcessState
}

// start starts the verifier's program for an issuer's tokens. It is killed at the test's
// end, with the processes that it has started.
func (v verifier) start(t *testing.T, i *issuer) *service {
	t.Helper()
	address := freeAddress(t)
	// An absolute path, because a relative one would be of this folder and not of cmd.Dir.
	program := v.command[0]
	if strings.Contains(program, "/") {
		program = absolute(t, filepath.Join(v.folder, program))
	}
	cmd := exec.CommandContext(context.Background(), program, v.command[1:]...)
	cmd.Dir = v.folder
	cmd.Env = append(os.Environ(),
		"ISSUER="+i.url, "JWKS_URI="+i.url+"/.well-known/jwks.json", fmt.Sprintf("JWKS_MAX_AGE=%d", int(i.maxAge/time.Second)),
		"AUDIENCE="+audience, "ALGORITHM="+string(i.algorithm), "ADDRESS="+address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	s := &service{verifier: v, url: "http://" + address, log: &log, ended: make(chan struct{}), state: func() *os.ProcessState { return cmd.ProcessState }}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // its outcome is in ProcessState
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may be gone already
		<-s.ended
		if t.Failed() {
			t.Logf("log of %s:\n%s", v.name, log.String())
		}
	})
	return s
}

// serving waits until the program answers. A request without a token is refused.
func (s *service) serving(ctx context.Context) error {
	for {
		got, err := s.ask(ctx, "")
		if err == nil {
			if got.status != http.StatusUnauthorized {
				return fmt.Errorf("no token: %d, want 401", got.status)
			}
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%w: %v", errEnded, s.state())
		case <-ctx.Done():
			return fmt.Errorf("waiting for it to serve: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errEnded = errors.New("the program has ended")

// answer is what a verifier says of a token.
type answer struct {
	status   int
	Sub, Sid string
}

// ask asks the program whose a token is.
func (s *service) ask(ctx context.Context, token string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/whoami", nil)
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	got := answer{status: res.StatusCode}
	if got.status == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			return answer{}, fmt.Errorf("reading what it answers: %w", err)
		}
	}
	return got, nil
}

// client makes a new connection each time: a program may be slow, never stuck.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// accepts is the error that the program does not accept a session's token for what it is.
func (s *service) accepts(ctx context.Context, g grant) error {
	switch got, err := s.ask(ctx, g.AccessToken); {
	case err != nil:
		return err
	case got.status != http.StatusOK:
		return fmt.Errorf("%d, want 200", got.status)
	case got.Sub != user || got.Sid != g.Session.ID:
		return fmt.Errorf("it is that of %q, %q, want %q, %q", got.Sub, got.Sid, user, g.Session.ID)
	}
	return nil
}

// refuses is the error that the program does not refuse a token.
func (s *service) refuses(ctx context.Context, token string) error {
	switch got, err := s.ask(ctx, token); {
	case err != nil:
		return err
	case got.status != http.StatusUnauthorized:
		return fmt.Errorf("%d, want 401", got.status)
	}
	return nil
}

// within asks again and again until there is no error, for as long as d.
func within(ctx context.Context, d time.Duration, check func() error) error {
	deadline := time.Now().Add(d)
	for {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// each does the same with all services at once, and reports what goes wrong.
func each(t *testing.T, services []*service, what string, do func(s *service) error) {
	t.Helper()
	var all sync.WaitGroup
	for _, s := range services {
		all.Go(func() {
			if err := do(s); err != nil {
				t.Errorf("%s: %s: %v", s.name, what, err)
			}
		})
	}
	all.Wait()
}

// freeAddress is an address of this machine on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
