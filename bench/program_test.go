package bench_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/secret"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/store/bolt"
)

// unsigned is a signer that saves the time for signatures while a store is filled.
type unsigned struct{}

func (unsigned) Mint(*jwt.Claims) (string, error) { return "", nil }

// dataset is a data folder with a number of live sessions, and their refresh tokens.
type dataset struct {
	dir    string
	store  string // what the configuration says of it
	tokens [][]byte
	bytes  int64 // on disk
}

func fill(t testing.TB, n int) *dataset {
	t.Helper()
	d, refreshKey := newDataset(t, n)
	d.store = fmt.Sprintf("{driver: bolt, path: %s}", filepath.Join(d.dir, "issuer.db"))
	store, err := bolt.Open(context.Background(), bolt.Config{Path: filepath.Join(d.dir, "issuer.db")})
	if err != nil {
		t.Fatal(err)
	}
	none, err := jwt.NewKeySet()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := session.New(session.Config{
		Store: store, Signer: unsigned{}, Keys: none,
		RefreshKeys: []refresh.Key{refreshKey},
		Issuer:      "http://localhost:8080", Audience: []string{"http://localhost:8080"},
		AccessLifetime: 5 * time.Minute, IdleTimeout: 168 * time.Hour, AbsoluteTimeout: 720 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	fillWith(t, svc, d.tokens)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(d.dir, "issuer.db"))
	if err != nil {
		t.Fatal(err)
	}
	d.bytes = info.Size()
	return d
}

// newDataset makes a folder with a secret, from which the key of refresh tokens is derived.
func newDataset(t testing.TB, n int) (*dataset, refresh.Key) {
	t.Helper()
	d := &dataset{dir: t.TempDir(), tokens: make([][]byte, n)}
	text := secret.Generate()
	if err := os.WriteFile(filepath.Join(d.dir, "issuer.secret"), []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := secret.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d, refresh.Key{ID: s.ID(), Key: s.Derive("refresh token")}
}

func fillWith(t testing.TB, svc *session.Service, tokens [][]byte) {
	const workers = 256
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(tokens); i += workers {
				g, err := svc.Mint(context.Background(), session.MintRequest{
					User: session.User{
						ID:    fmt.Sprintf("user-%08x", i*2654435761%(1<<32)),
						Email: fmt.Sprintf("user%d@mail.example", i), Name: "Ada Lovelace",
					},
					ClientID: "app-backend",
					From:     session.Device{UserAgent: userAgent},
				})
				if err != nil {
					t.Error(err)
					return
				}
				tokens[i] = []byte(g.RefreshToken)
			}
		})
	}
	wg.Wait()
}

// process is a server that runs beside the benchmark.
type process struct {
	cmd     *exec.Cmd
	address string
	ready   time.Duration // from its start to its first answer
}

func build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "issuer")
	out, err := exec.Command("go", "build", "-o", path, "issuer.example/cmd/issuer").CombinedOutput()
	if err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// serve starts the program on the data set.
func serve(t testing.TB, program string, d *dataset, algorithm jwt.Algorithm) *process {
	t.Helper()
	return serveFor(t, program, d, algorithm, fmt.Sprintf(`{name: app-backend, sha256: "%s", scopes: [sessions:mint]}`, strings.Repeat("ab", 32)), "")
}

// serveFor starts the program on the data set, with a service key and additional lines of
// configuration.
func serveFor(t testing.TB, program string, d *dataset, algorithm jwt.Algorithm, key, more string) *process {
	t.Helper()
	public, admin := freeAddress(t), freeAddress(t)
	config := fmt.Sprintf(`issuer: http://localhost:8080
listen: %s
admin: {listen: %s}
store: %s
secrets: [%s]
access_token: {lifetime: 5m, algorithm: %s, audience: ["http://localhost:8080"]}
service_keys:
  - %s
%s`, public, admin, d.store, filepath.Join(d.dir, "issuer.secret"), algorithm, key, more)
	path := filepath.Join(d.dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--config", path)
	cmd.Stdout, cmd.Stderr = log, log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, address: public}
	t.Cleanup(func() { p.stop(t) })
	for time.Since(began) < time.Minute {
		if resp, err := http.Get("http://" + public + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				p.ready = time.Since(began)
				return p
			}
		}
	}
	text, _ := os.ReadFile(log.Name())
	t.Fatalf("the program is not ready after a minute:\n%s", text)
	return nil
}

// serveBare starts the bare Echo.
func serveBare(t testing.TB) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), echoEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, address: strings.TrimSpace(line)}
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) stop(t testing.TB) {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
}

var rssAnon = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)

// anonymous is the process's anonymous resident memory, in bytes.
func (p *process) anonymous(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := rssAnon.FindSubmatch(status)
	if m == nil {
		t.Fatal("no RssAnon")
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb * 1024
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
