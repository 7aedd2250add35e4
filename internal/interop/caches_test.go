//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/jwt"
)

// cache is a shared cache that stands in front of an issuer.
type cache struct {
	name    string
	program string
	// command returns what starts it on an address, for an issuer on another one. It may
	// write files into the folder.
	command func(t *testing.T, dir, address, issuer string) *exec.Cmd
}

func caches() []cache {
	return []cache{
		{"Varnish", "varnishd", varnish},
		{"nginx proxy_cache", "nginx", nginxCache("")},
		{"nginx proxy_cache that ignores Cache-Control", "nginx", nginxCache(
			"proxy_ignore_headers Cache-Control Expires Vary; proxy_cache_valid 200 10m;")},
	}
}

// varnish runs Varnish with its default VCL.
func varnish(t *testing.T, dir, address, issuer string) *exec.Cmd {
	return exec.CommandContext(t.Context(), "varnishd", "-F", "-n", filepath.Join(dir, "varnish"),
		"-a", address, "-b", issuer, "-s", "malloc,16m")
}

func nginxCache(settings string) func(t *testing.T, dir, address, issuer string) *exec.Cmd {
	return func(t *testing.T, dir, address, issuer string) *exec.Cmd {
		t.Helper()
		conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  proxy_cache_path %[1]s/cache keys_zone=issuer:1m;
  server {
    listen %[2]s;
    location / { proxy_pass http://%[3]s; proxy_set_header Host $http_host; proxy_cache issuer; %[4]s }
  }
}`, dir, address, issuer, settings)
		path := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.CommandContext(t.Context(), "nginx", "-p", dir, "-c", path)
	}
}

// startIssuerBehindCache starts a cache, and an issuer that is reached through it alone. The
// JWKS has a max-age of five minutes.
func startIssuerBehindCache(t *testing.T, c cache) *issuer {
	t.Helper()
	front, back, dir := freeAddress(t), freeAddress(t), t.TempDir()
	cmd := c.command(t, dir, front, back)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	// Varnish ends its child only if it is asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of %s:\n%s", c.name, log.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := within(ctx, patience, func() error {
		conn, err := net.Dial("tcp", front)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return startIssuerBehind(t, jwt.ES256, back, "http://"+front, "ISSUER_KEYS_PUBLISH_BEFORE=20m", "ISSUER_LOG_LEVEL=info")
}

// whoever asks a verifier what it says of a token: nil, or why not.
type whoever struct {
	name string
	asks func(ctx context.Context, token string) error
}

// inProcess is a guard.
func inProcess(t *testing.T, i *issuer) whoever {
	t.Helper()
	g, err := guard.New(t.Context(), guard.Config{
		Issuer: i.url, Audience: []string{audience}, ServiceKey: i.serviceKey, Name: "guard", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return whoever{"guard", func(ctx context.Context, token string) error {
		_, err := g.Verify(ctx, token)
		return err
	}}
}

// asService is the program of a verifier that follows the feed.
func asService(ctx context.Context, t *testing.T, v verifier, i *issuer) whoever {
	t.Helper()
	s := v.start(t, i)
	if err := s.serving(ctx); err != nil {
		t.Fatal(err)
	}
	return whoever{v.name, func(ctx context.Context, token string) error {
		got, err := s.ask(ctx, token)
		return errors.Join(err, want(got.status, http.StatusOK))
	}}
}

// A shared cache in front of the issuer has the JWKS from before the emergency. Verifiers
// that follow the feed refuse what the revoked key signs all the same, accept what the new
// one signs at once, and so does one that starts after the emergency.
func TestEmergencyBehindCaches(t *testing.T) {
	var followers []verifier // besides the guard
	for _, v := range []verifier{fastAPIExample(), issuerClient()} {
		if v.available(t, map[string]bool{}) {
			followers = append(followers, v)
		}
	}
	for _, c := range caches() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(c.program); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("there is no %s, and in CI nothing is left out", c.program)
				}
				t.Logf("left out: there is no %s", c.program)
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			i := startIssuerBehindCache(t, c)
			all := []whoever{inProcess(t, i)}
			for _, v := range followers {
				all = append(all, asService(ctx, t, v, i))
			}
			emergencyBehind(ctx, t, i, all)
		})
	}
}

func emergencyBehind(ctx context.Context, t *testing.T, i *issuer, all []whoever) {
	t.Helper()
	f := i.forger()
	forge := func() string { // the mark of everything does not cover it
		now := time.Now().Unix()
		return f.sign(jwt.TypeAccessToken, map[string]any{"sid": "ffffffff-ffff-7fff-bfff-ffffffffffff", "iat": now, "exp": now + 300})
	}
	for _, v := range all {
		if err := within(ctx, 5*time.Second, func() error { return v.asks(ctx, forge()) }); err != nil {
			t.Errorf("%s: a token of the forger, before the emergency: %v", v.name, err)
		}
	}
	before := i.cachedJWKS()
	i.operate("keys", "revoke", kid(t, f.good), "--reason", "leaked")
	revoked := time.Now()
	for _, v := range all {
		if err := within(ctx, moment, func() error { return v.asks(ctx, i.mint(audience).AccessToken) }); err != nil {
			t.Errorf("%s: an honest token after the emergency: %v", v.name, err)
		}
		if err := within(ctx, moment, func() error { return accepted(v.asks(ctx, forge())) }); err != nil {
			t.Errorf("%s: %s after the emergency: %v", v.name, time.Since(revoked), err)
		}
	}
	if i.cachedJWKS() != before {
		t.Error("the cache has the new keys: this test shows nothing")
	}
	late := inProcess(t, i)
	if err := errors.Join(late.asks(ctx, i.mint(audience).AccessToken), accepted(late.asks(ctx, forge()))); err != nil {
		t.Errorf("a guard that starts after the emergency: %v", err)
	}
}

// accepted turns the verdict round.
func accepted(verdict error) error {
	if verdict == nil {
		return errors.New("a token of the revoked key is accepted")
	}
	return nil
}

// cachedJWKS is the JWKS that the cache answers with, though the request says no-cache.
func (i *issuer) cachedJWKS() string {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, i.url+"/.well-known/jwks.json", nil)
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Cache-Control", "no-cache")
	text, _ := i.do(req)
	return text
}
