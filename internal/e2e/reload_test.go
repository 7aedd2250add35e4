package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"issuer.example/client"
	"issuer.example/internal/rounds"
	"issuer.example/secret"
)

// configured is a program that runs with a configuration file.
type configured struct {
	*issuer
	key string // of every scope, named "all"
}

// startConfigured starts the program with a file.
func startConfigured(t *testing.T) *configured {
	t.Helper()
	dir, key := t.TempDir(), client.GenerateKey()
	write(t, dir, "issuer.secret", secret.Generate())
	if err := os.MkdirAll(filepath.Join(dir, "data/dev"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "data/dev/service.key", key) // where the harness looks for it
	c := &configured{issuer: &issuer{t: t, dir: dir}, key: key}
	c.configure("")
	c.issuer = start(t, command(t, dir, anywhere(), "serve"))
	return c
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configure replaces the configuration file. The text comes after the settings that each has;
// further entries of service_keys come first in it.
func (c *configured) configure(text string) {
	c.t.Helper()
	if !strings.Contains(text, "secrets:") {
		text += "\nsecrets: [issuer.secret]\n"
	}
	write(c.t, c.dir, "config.yaml", fmt.Sprintf("service_keys:\n  - {name: all, sha256: %s, scopes: [%s]}\n%s",
		client.HashKey(c.key), client.ScopeNames(), text))
}

// command runs a command that calls this issuer with its admin key.
func (c *configured) command(args ...string) result {
	c.t.Helper()
	return run(c.t, c.dir, []string{"ISSUER_ADMIN_URL=" + c.admin, "ISSUER_ADMIN_KEY_FILE=data/dev/service.key"}, args...)
}

// atAdmin is the issuer, called at its admin listener.
func (c *configured) atAdmin() *issuer {
	at := *c.issuer
	at.public = c.admin
	return &at
}

// hangUp sends SIGHUP and waits until it has had that effect so many times.
func (c *configured) hangUp(message string, times int) {
	c.t.Helper()
	c.signal(syscall.SIGHUP)
	if err := c.Log().AwaitCount(soon(c.t), message, times); err != nil {
		c.t.Fatal(err)
	}
}

const (
	reloaded    = "configuration reloaded"
	notReloaded = "the configuration is not reloaded"
)

// SIGHUP and `issuer reload` adopt what can change, and name what cannot. A faulty file changes
// nothing. Streams go on.
func TestReload(t *testing.T) {
	i := startConfigured(t)
	stream := i.openStream(i.public, http.DefaultTransport, 0)
	added := client.GenerateKey()
	extra := fmt.Sprintf("  - {name: added, sha256: %s, scopes: [sessions:mint]}\n", client.HashKey(added))
	mint := func(want int) {
		t.Helper()
		if status := i.call("POST", "/v1/sessions", added, `{"user": {"id": "u1"}}`, nil); status != want {
			t.Errorf("a mint with the added key answers %d, want %d", status, want)
		}
	}
	mint(401)
	i.configure(extra)
	i.hangUp(reloaded, 1)
	mint(201)

	i.configure(extra + "session: {max_per_user: 3}\nlog: {level: debug}\n")
	r := i.command("reload")
	if r.code != 0 || r.stdout != "changed: log.level\nneeds a restart: session.max_per_user\n" {
		t.Errorf("reload: %+v", r)
	}
	i.configure("issuer: ftp://x\nlisten: 1\nlog: {level: info}\n")
	i.command("reload").failed(t, "config.yaml:", "everything stays as it was", "issuer: ", "listen: ")
	mint(201)
	i.hangUp(notReloaded, 2)
	mint(201)
	// A file that is missing, because it is being replaced, is not one without settings.
	if err := os.Remove(filepath.Join(i.dir, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	i.hangUp(notReloaded, 3)
	i.command("reload").failed(t, "config.yaml", "everything stays as it was")
	i.configure("")
	if r := i.command("reload", "--json"); r.code != 0 || strings.TrimSpace(r.stdout) != `{"changed":["service_keys","log.level"],"restart_needed":[]}` {
		t.Errorf("reload --json: %+v", r)
	}
	mint(401)
	if strings.Contains(i.Log().Text(), i.key) {
		t.Error("the log has a key")
	}
	ended := i.revokeOne()
	for e, ok := stream.next(); !ok || e.SID.String() != ended; {
		e, ok = stream.next()
	}
	i.stop()
}

// With --dev the keys that it made are kept.
func TestReloadDev(t *testing.T) {
	i := startDev(t, t.TempDir())
	i.signal(syscall.SIGHUP)
	if _, err := i.Log().Await(soon(t), reloaded); err != nil {
		t.Fatal(err)
	}
	i.mint("u1")
	if r := i.cli("reload"); r.code != 0 || r.stdout != "nothing has changed\n" {
		t.Errorf("reload: %+v", r)
	}
}

// A secret is replaced in two reloads; in one it is refused, with the reason.
func TestReloadSecrets(t *testing.T) {
	i := startConfigured(t)
	write(t, i.dir, "new.secret", secret.Generate())
	g := i.mint("u1")
	i.configure("secrets: [new.secret]\n")
	i.command("reload").failed(t, "still seals a signing key")
	i.configure("secrets: [new.secret, issuer.secret]\n")
	if r := i.command("reload"); r.code != 0 || !strings.Contains(r.stdout, "changed: secrets") {
		t.Errorf("reload: %+v", r)
	}
	next, status := i.refresh(g.RefreshToken)
	if status != http.StatusOK {
		t.Fatalf("a refresh answers %d", status)
	}
	i.configure("secrets: [new.secret]\n")
	if r := i.command("reload"); r.code != 0 {
		t.Errorf("reload: %+v", r)
	}
	if _, status := i.refresh(next.RefreshToken); status != http.StatusOK {
		t.Errorf("a refresh under the new secret answers %d", status)
	}
	i.stop()
	// The file needs the new secret alone.
	start(t, command(t, i.dir, anywhere(), "serve")).stop()
}

// A signal is no reason to end: neither many SIGHUPs under load, nor SIGPIPE.
func TestReloadUnderLoad(t *testing.T) {
	i := startConfigured(t)
	write(t, i.dir, "new.secret", secret.Generate())
	var (
		done    atomic.Bool
		clients sync.WaitGroup
	)
	defer clients.Wait()
	defer done.Store(true)
	for range 4 {
		g := i.mint("u1")
		clients.Go(func() {
			for !done.Load() {
				next, status := i.refresh(g.RefreshToken)
				if status != http.StatusOK {
					t.Errorf("a refresh answers %d", status)
					return
				}
				g = next
			}
		})
	}
	names := [2]string{"secrets: [issuer.secret, new.secret]\n", "secrets: [new.secret, issuer.secret]\n"}
	for n := range rounds.Rounds(t, 30, 200) {
		i.configure(names[n%2])
		i.signal(syscall.SIGPIPE)
		var answer struct {
			Changed []string `json:"changed"`
		}
		if status := i.atAdmin().call("POST", "/admin/v1/reload", i.key, "", &answer); status != http.StatusOK {
			t.Fatalf("reload %d answers %d", n, status)
		}
		i.signal(syscall.SIGHUP)
	}
}
