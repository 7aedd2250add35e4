package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever the umask is, the program's files are readable by their owner only.
func TestFileModes(t *testing.T) {
	dir := t.TempDir()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, anywhere())
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `umask 000; exec "$0" serve --dev`, string(path)}
	i := start(t, cmd)
	i.mint("u1")
	i.stop()

	seen := 0
	err = filepath.WalkDir(filepath.Join(dir, "data"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
		seen++
		return nil
	})
	if err != nil || seen < 6 { // the folder, the store, the secret, dev with two keys
		t.Errorf("%d files, %v", seen, err)
	}
}

// A key that others can read is refused, by name, before anything listens. A data file that others
// can read is closed to them.
func TestOpenFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	startDev(t, dir).stop()
	for _, name := range []string{"data/issuer.secret", "data/dev/service.key", "data/dev/admin.key"} {
		path := filepath.Join(dir, name)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		r := run(t, dir, anywhere(), "serve", "--dev")
		r.failed(t, name)
		if strings.Contains(r.stderr, `"serving"`) {
			t.Errorf("%s: it served", name)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data/issuer.db")
	if err := os.Chmod(data, 0o640); err != nil {
		t.Fatal(err)
	}
	startDev(t, dir).stop()
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the data file is %v, %v, want mode 0600", info, err)
	}
	secret := filepath.Join(dir, "data/issuer.secret")
	if err := os.Rename(secret, secret+".real"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret+".real", secret); err != nil {
		t.Fatal(err)
	}
	startDev(t, dir).stop()
	if err := os.Chmod(filepath.Join(dir, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	run(t, dir, anywhere(), "serve", "--dev").failed(t, "data/issuer.secret", "symbolic link")
}

// Tokens, keys and hostile text go through every kind of request. Afterwards no secret, in any
// of its forms, is in the log, in the metrics or in a file of the store.
func TestSecretsAreNowhere(t *testing.T) {
	dir := t.TempDir()
	i := startDev(t, dir)
	serviceKey := i.serviceKey()
	adminKey := strings.TrimSpace(string(i.file("data/dev/admin.key")))
	secret := strings.TrimSpace(string(i.file("data/issuer.secret")))

	g := i.mint("u1")
	next, _ := i.refresh(g.RefreshToken)
	forged := "rt_" + strings.Repeat("CANARY00", 8)
	i.refresh(forged)
	i.refresh(g.AccessToken)
	i.call("GET", "/v1/session", next.AccessToken, "", nil)
	i.call("GET", "/v1/session", next.RefreshToken, "", nil)
	i.call("GET", "/v1/session?access_token="+next.AccessToken, "", "", nil)
	i.call("GET", "/v1/sessions/"+next.RefreshToken, next.AccessToken, "", nil)
	i.call("POST", "/v1/sessions", serviceKey[:len(serviceKey)-1]+"_", `{"user": {"id": "u1"}}`, nil)
	i.call("POST", "/v1/sessions", serviceKey, `{"user": {"id": "u1"}, "refresh_token": "`+forged+`"}`, nil)
	i.form("/oauth/introspect", serviceKey, "token="+next.RefreshToken)
	i.form("/oauth/revoke", "", "token="+next.RefreshToken+"&token="+forged)
	i.form("/oauth/revoke", "", "token="+next.RefreshToken)
	i.hostile(next.RefreshToken, next.AccessToken)
	metrics := i.metrics()
	i.stop()

	canaries := map[string]string{
		"refresh token": g.RefreshToken, "next refresh token": next.RefreshToken, "forged refresh token": forged,
		"access token": g.AccessToken, "next access token": next.AccessToken,
		"service key": serviceKey, "wrong service key": serviceKey[:len(serviceKey)-1] + "_",
		"admin key": adminKey, "secret": secret,
	}
	log := i.Log().Text()
	if !strings.Contains(log, "--dev is for this machine only") {
		t.Fatal("the log is not kept from its beginning on")
	}
	places := map[string][]byte{"the log": []byte(log), "the metrics": metrics, "the store": i.stored()}
	for name, canary := range canaries {
		for form, text := range forms(canary) {
			for where, content := range places {
				if bytes.Contains(content, text) {
					t.Errorf("%s (%s) stands in %s", name, form, where)
				}
			}
		}
	}
	for n, line := range strings.Split(strings.TrimSpace(log), "\n") {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("line %d of the log is no JSON: %q", n+1, line)
		}
		if len(line) > 4096 || strings.ContainsAny(line, "\x1b\u2028\u202e") {
			t.Errorf("line %d of the log is not capped and escaped: %d bytes, %.200q", n+1, len(line), line)
		}
	}
	if bytes.Contains(places["the store"], []byte(`"d":"`)) {
		t.Error("the store holds the private member of a JWK")
	}
}

// forms are the forms of a secret that are searched for: its text, the end of it (which is
// random), and its raw bytes.
func forms(secret string) map[string][]byte {
	f := map[string][]byte{"text": []byte(secret), "end": []byte(secret[len(secret)-24:])}
	body := secret[strings.LastIndexAny(secret, "_.")+1:]
	if raw, err := base64.RawURLEncoding.DecodeString(body); err == nil && len(raw) >= 16 {
		f["raw"] = raw
		f["raw end"] = raw[len(raw)-16:]
	}
	return f
}

// hostile sends text that could forge log lines or control terminals, in every field of text,
// together with a token.
func (i *issuer) hostile(tokens ...string) {
	i.t.Helper()
	ugly := "x\u2028{\"level\":\"ERROR\"}\u202e\x1b[31m%s%n" + strings.Repeat("A", 6000)
	body, err := json.Marshal(map[string]any{"user": map[string]string{"id": "u1", "name": ugly}, "user_agent": ugly})
	if err != nil {
		i.t.Fatal(err)
	}
	i.call("POST", "/v1/sessions", i.serviceKey(), string(body), nil)
	for _, token := range tokens {
		req, err := http.NewRequest("POST", i.public+"/v1/session/refresh", strings.NewReader("{"+token+"}"))
		if err != nil {
			i.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Cookie", "better-auth.session_token="+token+"; other="+token)
		req.Header.Set("User-Agent", "\u2028\u202e%s"+strings.Repeat("B", 6000)+token)
		req.Header.Set("X-Request-Id", token)
		req.Header.Set("Origin", "https://"+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			i.t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

// form posts a form.
func (i *issuer) form(path, bearer, body string) {
	i.t.Helper()
	req, err := http.NewRequest("POST", i.public+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	_ = res.Body.Close()
}

// metrics is the admin listener's answer to Prometheus.
func (i *issuer) metrics() []byte {
	i.t.Helper()
	res, err := http.Get(i.admin + "/metrics")
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
		i.t.Fatalf("metrics answered %d, %v", res.StatusCode, err)
	}
	return text.Bytes()
}

// stored is all that the store has on disk: every file of the data folder but the secret
// and the keys of --dev.
func (i *issuer) stored() []byte {
	i.t.Helper()
	var all []byte
	data := filepath.Join(i.dir, "data")
	err := filepath.WalkDir(data, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == filepath.Join(data, "dev"):
			return fs.SkipDir
		case entry.IsDir() || name == filepath.Join(data, "issuer.secret"):
			return nil
		}
		text, err := os.ReadFile(name)
		all = append(all, text...)
		return err
	})
	if err != nil || len(all) == 0 {
		i.t.Fatalf("the store has %d bytes on disk, %v", len(all), err)
	}
	return all
}

// file reads a file of the issuer's folder.
func (i *issuer) file(name string) []byte {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, name))
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

// The program leaves no core file, which would hold its keys.
func TestNoCoreDump(t *testing.T) {
	i := startDev(t, t.TempDir())
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", i.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Max core file size") && (fields[4] != "0" || fields[5] != "0") {
			t.Errorf("core dumps are allowed: %q", line)
		}
	}
}

func TestMetrics(t *testing.T) {
	i := startDev(t, t.TempDir())
	g := i.mint("u1")
	i.refresh(g.RefreshToken)
	text := string(i.metrics())
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(text, "issuer_sessions_minted_total 1\n"); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the session is not counted")
		}
		text = string(i.metrics()) // sessions are counted after the answer
	}
	for _, want := range []string{"issuer_sessions_live 1", "issuer_sessions_minted_total 1", "issuer_signing_key_age_seconds{", "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
}
