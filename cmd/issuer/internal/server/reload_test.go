package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	clients "issuer.example/client"
	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/handlers"
	"issuer.example/internal/rounds"
	"issuer.example/secret"
)

// reloadable is a running server whose configuration the test changes.
type reloadable struct {
	*server.Server
	t   *testing.T
	dir string
	key string // a service key of every scope

	mu   sync.Mutex
	log  bytes.Buffer
	next func(*config.Config) error // changes what is read
}

func newReloadable(t *testing.T) *reloadable {
	t.Helper()
	r := &reloadable{t: t, dir: t.TempDir(), key: clients.GenerateKey()}
	r.newSecret("first")
	r.next = func(*config.Config) error { return nil }
	settings, err := r.load()
	if err != nil {
		t.Fatal(err)
	}
	r.Server, err = server.Open(t.Context(), server.Config{
		Settings: settings, Logger: slog.New(slog.NewJSONHandler(r, nil)), Load: r.load,
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, r.Server)
	return r
}

// Write collects the log.
func (r *reloadable) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

// logged returns the log and empties it.
func (r *reloadable) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.log.Reset()
	return r.log.String()
}

func (r *reloadable) path(name string) string { return filepath.Join(r.dir, name) }

// newSecret writes another secret to a file.
func (r *reloadable) newSecret(name string) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), []byte(secret.Generate()), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// load reads the configuration.
func (r *reloadable) load() (*config.Config, error) {
	c := config.Default()
	c.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Store.Path, c.Secrets = r.path("issuer.db"), []string{r.path("first")}
	c.ServiceKeys = []config.ServiceKey{newServiceKey("all", r.key)}
	return c, r.next(c)
}

func newServiceKey(name, text string) config.ServiceKey {
	k := config.ServiceKey{Name: name, SHA256: clients.HashKey(text).String()}
	for _, scope := range clients.Scopes() {
		k.Scopes = append(k.Scopes, string(scope))
	}
	return k
}

// reload reloads a changed configuration and checks which keys have changed.
func (r *reloadable) reload(change func(*config.Config) error, changed ...string) handlers.Reloaded {
	r.t.Helper()
	r.next = change
	done, err := r.Reload(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if !slices.Equal(done.Changed, changed) {
		r.t.Errorf("%q have changed, want %q", done.Changed, changed)
	}
	return done
}

// refused reloads a configuration that must change nothing.
func (r *reloadable) refused(change func(*config.Config) error) error {
	r.t.Helper()
	r.next = change
	_, err := r.Reload(r.t.Context())
	if !errors.Is(err, handlers.ErrNotReloaded) {
		r.t.Fatalf("got %v, want %v", err, handlers.ErrNotReloaded)
	}
	if !strings.Contains(r.logged(), `"level":"ERROR"`) {
		r.t.Error("the refusal is not in the log")
	}
	return err
}

// call calls the public listener, and returns the status and the body.
func (r *reloadable) call(method, path, bearer, body string, headers ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.PublicAddr().String()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host // net/http sends no other
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Error(err)
	}
	return res.StatusCode, string(text) + res.Header.Get("Access-Control-Allow-Origin")
}

// mint returns the refresh token of a new session.
func (r *reloadable) mint(key string) (status int, refreshToken string) {
	r.t.Helper()
	status, text := r.call("POST", "/v1/sessions", key, `{"user": {"id": "u1"}}`)
	_, token, _ := strings.Cut(text, `"refresh_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	return status, token
}

func (r *reloadable) refresh(token string) (status int, next string) {
	r.t.Helper()
	status, text := r.call("POST", "/v1/session/refresh", "", fmt.Sprintf(`{"refresh_token": %q}`, token))
	_, next, _ = strings.Cut(text, `"refresh_token":"`)
	next, _, _ = strings.Cut(next, `"`)
	return status, next
}

// What can change does so at once, and the log says what, without a key or a hash.
func TestReloadChanges(t *testing.T) {
	t.Parallel()
	r := newReloadable(t)
	other := clients.GenerateKey()
	const origin, host = "https://other.test", "auth.other.test"
	if status, _ := r.mint(other); status != 401 {
		t.Fatalf("an unknown key is answered %d", status)
	}
	if status, _ := r.call("GET", "/v1/session", "x", "", "Host", host); status != 421 {
		t.Fatalf("an unknown host is answered %d", status)
	}
	r.reload(func(*config.Config) error { return nil })
	done := r.reload(func(c *config.Config) error {
		c.ServiceKeys = []config.ServiceKey{newServiceKey("other", other)}
		c.CORS.AllowedOrigins = []string{origin}
		c.TrustedProxies, c.Hosts = []string{"10.0.0.0/8"}, []string{host}
		c.Limits.Connections, c.Limits.FeedStreams = 5000, 7
		c.Log.Level = "debug"
		c.Issuer, c.Session.MaxPerUser = "http://127.0.0.1:1", 3
		return nil
	}, "hosts", "cors.allowed_origins", "trusted_proxies", "service_keys", "limits.connections", "limits.feed_streams", "log.level")
	if want := []string{"issuer", "session.max_per_user"}; !slices.Equal(done.RestartNeeded, want) {
		t.Errorf("%q need a restart, want %q", done.RestartNeeded, want)
	}
	if status, _ := r.mint(r.key); status != 401 {
		t.Errorf("a removed key is answered %d", status)
	}
	if status, _ := r.mint(other); status != 201 {
		t.Errorf("an added key is answered %d", status)
	}
	if _, text := r.call("GET", "/v1/session", "", "", "Origin", origin); !strings.HasSuffix(text, origin) {
		t.Errorf("an added origin is answered %q", text)
	}
	if status, _ := r.call("GET", "/v1/session", "x", "", "Host", host); status != 401 {
		t.Errorf("an added host is answered %d", status)
	}
	log := r.logged()
	for _, want := range []string{
		`"service_keys","added":["other"],"removed":["all"]`, `"cors.allowed_origins","added":["https://other.test"]`,
		`"trusted_proxies","added":["10.0.0.0/8"]`, `"hosts","added":["auth.other.test"]`, `"limits.connections","from":10000,"to":5000`, `"log.level","from":"info","to":"debug"`,
		`"a changed setting needs a restart","key":"issuer"`, `"configuration reloaded"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for _, key := range []string{r.key, other} {
		if strings.Contains(log, key) || strings.Contains(log, clients.HashKey(key).String()) {
			t.Error("the log has a key")
		}
	}
	// What needs a restart is named each time.
	if done := r.reload(r.next); len(done.RestartNeeded) != 2 {
		t.Errorf("%q need a restart", done.RestartNeeded)
	}
}

// A configuration with a fault changes nothing, whatever else is in it.
func TestReloadAllOrNothing(t *testing.T) {
	t.Parallel()
	r := newReloadable(t)
	other := clients.GenerateKey()
	for name, fault := range map[string]func(*config.Config) error{
		"it cannot be read": func(*config.Config) error { return config.Faults{{Key: "listen", Problem: "is wrong"}} },
		"a missing secret":  func(c *config.Config) error { c.Secrets = []string{r.path("none")}; return nil },
		"another secret": func(c *config.Config) error {
			r.newSecret("second")
			c.Secrets = []string{r.path("second")}
			return nil
		},
		"an impossible proxy":   func(c *config.Config) error { c.TrustedProxies = []string{"x"}; return nil },
		"an impossible hash":    func(c *config.Config) error { c.ServiceKeys[0].SHA256 = "x"; return nil },
		"an impossible origin":  func(c *config.Config) error { c.CORS.AllowedOrigins = []string{"x"}; return nil },
		"an impossible level":   func(c *config.Config) error { c.Log.Level = "loud"; return nil },
		"two keys of one name":  func(c *config.Config) error { c.ServiceKeys = append(c.ServiceKeys, c.ServiceKeys[0]); return nil },
		"no secrets altogether": func(c *config.Config) error { c.Secrets = nil; return nil },
	} {
		err := r.refused(func(c *config.Config) error {
			c.ServiceKeys = []config.ServiceKey{newServiceKey("other", other)}
			return fault(c)
		})
		if status, _ := r.mint(r.key); status != 201 {
			t.Errorf("%s: the key of before is answered %d", name, status)
		}
		if status, _ := r.mint(other); status != 401 {
			t.Errorf("%s: the other key is answered %d", name, status)
		}
		if name == "another secret" && !strings.Contains(err.Error(), "still seals a signing key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.reload(func(*config.Config) error { return nil })
}

// The secret is replaced in two steps, without a restart. Tokens of the first one open until it is
// removed, and the file holds nothing that needs it.
func TestReloadSecrets(t *testing.T) {
	t.Parallel()
	r := newReloadable(t)
	_, waiting := r.mint(r.key)
	_, used := r.mint(r.key)
	r.newSecret("second")
	r.reload(func(c *config.Config) error { c.Secrets = []string{r.path("second"), r.path("first")}; return nil }, "secrets")
	status, used := r.refresh(used)
	if status != 200 {
		t.Fatalf("a token of the first secret is answered %d", status)
	}
	second := func(c *config.Config) error { c.Secrets = []string{r.path("second")}; return nil }
	r.reload(second, "secrets")
	if status, _ := r.refresh(used); status != 200 {
		t.Errorf("a token of the second secret is answered %d", status)
	}
	if status, _ := r.refresh(waiting); status != 401 {
		t.Errorf("a token of the removed secret is answered %d", status)
	}
	// Another content of the same file is another secret, too.
	r.newSecret("second")
	r.refused(second)
	if status, _ := r.mint(r.key); status != 201 {
		t.Errorf("after a refusal a mint is answered %d", status)
	}
}

// Connections wait for a limit, and go on when it is raised.
func TestReloadConnections(t *testing.T) {
	t.Parallel()
	r := newReloadable(t)
	r.reload(func(c *config.Config) error { c.Limits.Connections = 1; return nil }, "limits.connections")
	conn := dial(t, r.PublicAddr())
	ask(t, conn)
	second := dial(t, r.PublicAddr()) // which waits in the queue of the kernel
	ask(t, second)
	r.reload(func(*config.Config) error { return nil }, "limits.connections")
	for _, c := range []io.Reader{conn, second} {
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}
}

// Reloads while requests are in flight: no request fails, and no session is lost.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	r := newReloadable(t)
	r.newSecret("second")
	ctx, stop := context.WithCancel(t.Context())
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			_, token := r.mint(r.key)
			for ctx.Err() == nil {
				status, next := r.refresh(token)
				if status != 200 {
					t.Errorf("a refresh is answered %d", status)
					return
				}
				token = next
			}
		})
	}
	reloads := rounds.Rounds(t, 40, 300)
	for n := range reloads {
		r.reload(func(c *config.Config) error {
			c.Secrets = []string{r.path("first"), r.path("second")}
			c.Limits.FeedStreams = n + 1
			if n%2 == 0 {
				slices.Reverse(c.Secrets)
			}
			return nil
		}, "secrets", "limits.feed_streams")
	}
	stop()
	users.Wait()
}
