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
	// name is the name of the library, as its users write it.
	name string
	// folder is where the program is. Its commands run there.
	folder string
	// needs are programs of the machine. If one is missing the verifier is left out,
	// unless CI=true.
	needs []string
	// probe returns an error if the machine has the programs but not what they need. It
	// may be nil.
	probe []string
	// prepare are the commands that build the program. They run once for all verifiers of
	// a folder.
	prepare [][]string
	// command starts the program.
	command []string
	// environ starts what else the program needs, and returns the additional variables of
	// its environment. It may be nil.
	environ func(t *testing.T, i *issuer) []string
	// algorithms are those that the library supports. It must refuse tokens of others.
	algorithms []jwt.Algorithm
	// anyType says why the library accepts every typ; empty when it checks the typ.
	anyType string
	// passes are the forgeries that the library accepts, and why.
	passes map[string]string
	// learnsOfRevocations says that the program learns of revocations: it introspects each token, or
	// follows the feed.
	learnsOfRevocations bool
	// usesIssuersClock says that the issuer looks at the times of each token, and the
	// program does not.
	usesIssuersClock bool
	// lag is how much later than other verifiers it learns of a change of keys.
	lag lag
}

// lag is how much time a library needs to learn of a change of keys. The issuer expects zero.
type lag struct {
	// rotation is how long after a new key began to sign its tokens are refused.
	rotation time.Duration
	// withdrawal is how long, after the max-age of the JWKS, tokens of a revoked key are
	// still accepted, and those of the key that replaced it still refused.
	withdrawal time.Duration
	// untilUnknownKey says that tokens of a revoked key are accepted until the library gets a
	// token of an unknown key. Then withdrawal does not count.
	untilUnknownKey bool
	// because is the reason.
	because string
}

// supports reports whether the library supports an algorithm.
func (v verifier) supports(alg jwt.Algorithm) bool { return slices.Contains(v.algorithms, alg) }

// tell says what the library can't do.
func (v verifier) tell(t *testing.T) {
	t.Helper()
	if v.anyType != "" {
		t.Logf("%s accepts any typ: %s", v.name, v.anyType)
	}
	if v.lag != (lag{}) {
		t.Logf("%s is late by %v (rotation) and %v (withdrawal; until it meets a new key: %t): %s",
			v.name, v.lag.rotation, v.lag.withdrawal, v.lag.untilUnknownKey, v.lag.because)
	}
	for what, why := range v.passes {
		t.Logf("%s accepts %s: %s", v.name, what, why)
	}
	for _, alg := range algorithms {
		if !v.supports(alg) {
			t.Logf("%s does not know %s", v.name, alg)
		}
	}
}

// missing is the first thing that the verifier needs and the machine lacks.
func (v verifier) missing() string {
	for _, program := range v.needs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	if v.probe != nil && exec.Command(v.probe[0], v.probe[1:]...).Run() != nil {
		return "success of " + strings.Join(v.probe, " ")
	}
	return ""
}

// available prepares the verifier's program, but for what was done. It is false when the
// machine lacks something, which is an error in CI.
func (v verifier) available(t *testing.T, done map[string]bool) bool {
	t.Helper()
	if need := v.missing(); need != "" {
		if os.Getenv("CI") == "true" {
			t.Errorf("%s: there is no %s, and in CI nothing is left out", v.name, need)
		}
		t.Logf("%s is left out: there is no %s", v.name, need)
		return false
	}
	for _, command := range v.prepare {
		what := v.folder + ": " + strings.Join(command, " ")
		if done[what] {
			continue
		}
		done[what] = true
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Dir = v.folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, out)
		}
	}
	return true
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
	if v.environ != nil {
		cmd.Env = append(cmd.Env, v.environ(t, i)...)
	}
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
	// What an application behind a proxy would believe, if the proxy let it through.
	req.Header.Set("OIDC_CLAIM_sub", "somebody-else")
	req.Header.Set("OIDC_CLAIM_sid", "another")
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

// passed is the error that the program does not accept a token, whoever's it is.
func (s *service) passed(ctx context.Context, token string) error {
	got, err := s.ask(ctx, token)
	return errors.Join(err, want(got.status, http.StatusOK))
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
