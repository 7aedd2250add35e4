package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of an operator, beside a running issuer.
func TestSessionCommands(t *testing.T) {
	t.Parallel()
	i := startDev(t, t.TempDir())
	one, two, other := i.mint("u1"), i.mint("u1"), i.mint("u2")

	list := i.cli("session", "list", "--user", "u1")
	for _, id := range []string{one.Session.ID, two.Session.ID} {
		if !strings.Contains(list.stdout, id) {
			t.Errorf("the list lacks %s:\n%s%s", id, list.stdout, list.stderr)
		}
	}
	if strings.Contains(list.stdout, other.Session.ID) {
		t.Errorf("the list shows another's session:\n%s", list.stdout)
	}

	if r := i.cli("session", "revoke", one.Session.ID); r.code != 0 || !strings.Contains(r.stdout, "is revoked") {
		t.Errorf("revoke: %+v", r)
	}
	if g, status := i.refresh(one.RefreshToken); status != http.StatusUnauthorized || g.Code != "session_revoked" {
		t.Errorf("the revoked session answers %d %s", status, g.Code)
	}
	if r := i.cli("session", "show", one.Session.ID); !strings.Contains(r.stdout, "revoked_by_admin") {
		t.Errorf("show does not say why it ended: %+v", r)
	}
	if r := i.cli("session", "list", "--user", "u1"); !strings.Contains(r.stdout, "revoked_by_admin") || !strings.Contains(r.stdout, "live") {
		t.Errorf("list shows live and ended: %+v", r)
	}
	if r := i.cli("session", "revoke", "--user", "u1"); r.code != 0 || r.stdout != "1 revoked\n" {
		t.Errorf("revoke --user: %+v", r)
	}
	if r := i.cli("session", "revoke", "--everyone", "--yes"); r.code != 0 {
		t.Errorf("revoke --everyone: %+v", r)
	}
	if _, status := i.refresh(other.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("after --everyone a session answers %d", status)
	}
	i.cli("session", "show", "01a20a7b-5c26-7000-bf5c-8eda66463926").failed(t, "not_found")
	i.cli("session", "revoke", "not-an-id").failed(t, "not_found")
}

func TestRevokeByClient(t *testing.T) {
	i := startDev(t, t.TempDir())
	g := i.mint("u1")
	i.cli("session", "revoke", "--client", "another").failed(t, "There is no such client")
	if r := i.cli("session", "revoke", "--client", "dev-admin"); r.code != 0 { // which mints nothing
		t.Errorf("%+v", r)
	}
	g, status := i.refresh(g.RefreshToken)
	if status != http.StatusOK {
		t.Errorf("another client's revocation ended it: %d", status)
	}
	if r := i.cli("session", "revoke", "--client", "dev-service"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if _, status := i.refresh(g.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("its client's revocation leaves it: %d", status)
	}
}

// Text that users sent must not control the operator's terminal.
func TestListIsSafeToPrint(t *testing.T) {
	i := startDev(t, t.TempDir())
	body := `{"user": {"id": "u1"}, "label": "a\u202eb", "user_agent": "x\u001b]0;owned\u0007\ny"}`
	i.call("POST", "/v1/sessions", i.serviceKey(), body, nil)
	i.mint("u1")
	for _, args := range [][]string{{"session", "list", "--user", "u1"}} {
		if out := i.cli(args...).stdout; strings.ContainsAny(out, "\x1b\x07\u202e") {
			t.Errorf("%v prints %q", args, out)
		}
	}
}

func TestKeysCommands(t *testing.T) {
	i := startDev(t, t.TempDir())
	g := i.mint("u1")
	before := i.keys()
	if len(before) != 1 || before[0].State != "active" {
		t.Fatalf("keys at first: %+v", before)
	}
	rotated := i.cli("keys", "rotate")
	after := i.keys()
	if len(after) != 2 {
		t.Fatalf("keys after rotate: %+v", after)
	}
	for _, k := range after {
		if k.ID != before[0].ID && (k.State != "pending" || !strings.Contains(rotated.stdout, k.ID)) {
			t.Errorf("rotate printed %q and made %+v", rotated.stdout, k)
		}
	}
	if r := i.cli("keys", "list"); r.code != 0 || !strings.Contains(r.stdout, before[0].ID) || !strings.Contains(r.stdout, "pending") {
		t.Errorf("keys list: %+v", r)
	}
	if r := i.cli("keys", "revoke", before[0].ID, "--reason", "it leaked"); r.code != 0 {
		t.Errorf("keys revoke: %+v", r)
	}
	if status := i.call("GET", "/v1/session", g.AccessToken, "", nil); status != http.StatusUnauthorized {
		t.Errorf("a token of the revoked key answers %d", status)
	}
	if r := i.cli("keys", "list"); !strings.Contains(r.stdout, "it leaked") {
		t.Errorf("keys list does not show why: %+v", r)
	}
	if g := i.mint("u2"); g.AccessToken == "" {
		t.Error("no mint after the revocation of the active key")
	}
	i.cli("keys", "revoke", "no-such-key").failed(t, "not_found")
}

type key struct {
	ID    string `json:"kid"`
	State string `json:"state"`
}

// keys is what `keys list --json` prints.
func (i *issuer) keys() []key {
	i.t.Helper()
	var answer struct {
		Keys []key `json:"keys"`
	}
	r := i.cli("keys", "list", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &answer); err != nil {
		i.t.Fatalf("%v: %+v", err, r)
	}
	return answer.Keys
}

// How a command finds the issuer and the key, and how it fails if it cannot.
func TestCommandsSayWhatIsMissing(t *testing.T) {
	i := startDev(t, t.TempDir())
	elsewhere := t.TempDir()
	url := "ISSUER_ADMIN_URL=" + i.admin
	list := []string{"session", "list", "--user", "u1"}

	run(t, elsewhere, []string{url}, list...).failed(t, "no admin key", "ISSUER_ADMIN_KEY_FILE")
	run(t, elsewhere, []string{url, "ISSUER_ADMIN_KEY=hunter2"}, list...).failed(t, "not a service key")
	run(t, elsewhere, []string{url, "ISSUER_ADMIN_KEY=" + i.serviceKey()}, list...).failed(t, "forbidden")
	run(t, elsewhere, []string{"ISSUER_ADMIN_URL=ftp://x", "ISSUER_ADMIN_KEY=" + i.serviceKey()}, list...).failed(t, "must be a URL")

	// If no issuer is configured, the error says which one was called.
	assumed := run(t, elsewhere, []string{"ISSUER_ADMIN_KEY=sk_" + strings.Repeat("A", 43)}, list...)
	assumed.failed(t, "there is no config.yaml", "--admin", "ISSUER_ADMIN_URL")
	if strings.Count(assumed.stderr, "\n") != 1 {
		t.Errorf("standard error: %q", assumed.stderr)
	}

	file := filepath.Join(i.dir, "data/dev/admin.key")
	for _, r := range []result{
		run(t, elsewhere, []string{url, "ISSUER_ADMIN_KEY_FILE=" + file}, list...),
		run(t, elsewhere, nil, append(list, "--admin", i.admin, "--key-file", file)...),
		run(t, i.dir, []string{"ISSUER_ADMIN_LISTEN=" + strings.TrimPrefix(i.admin, "http://")}, list...),
	} {
		if r.code != 0 || !strings.HasPrefix(r.stdout, "ID ") || r.stderr != "" {
			t.Errorf("%+v", r)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, elsewhere, []string{url}, append(list, "--key-file", file)...).failed(t, "open to other users", "chmod 600")

	i.stop()
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	i.cli(list...).failed(t, "no issuer answers at "+i.admin, "connection refused")
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{},
		{"server"},
		{"serve", "now"},
		{"serve", "--prod"},
		{"check", "--config"},
		{"keys"},
		{"keys", "burn"},
		{"keys", "revoke"},
		{"keys", "rotate", "now"},
		{"session"},
		{"session", "list"},
		{"session", "show"},
		{"session", "revoke"},
		{"session", "revoke", "a", "--user", "b"},
		{"session", "revoke", "--everyone"},
		{"session", "revoke", "a", "b"},
		{"service-key", "new"},
		{"service-key", "new", "--name", "a", "--scopes", "root"},
		{"secret", "new"},
		{"backup"},
		{"version", "2"},
	} {
		r := run(t, dir, nil, args...)
		if r.code != 2 || strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "issuer: ") {
			t.Errorf("%v: exit code %d, standard error %q, want 2 and one line", args, r.code, r.stderr)
		}
	}
	for want, args := range map[string][]string{
		"usage: issuer check [flags]; `issuer check --help`":            {"check", "config.yaml"},
		"usage: issuer secret new PATH [flags]; `issuer secret new":     {"secret", "new"},
		"usage: issuer service-key new --name NAME":                     {"service-key", "new", "app"},
		`unknown command "burn" for "issuer keys"; ` + "`issuer keys -": {"keys", "burn"},
	} {
		if r := run(t, dir, nil, args...); !strings.HasPrefix(r.stderr, "issuer: "+want) {
			t.Errorf("%v: %q, want %q", args, r.stderr, want)
		}
	}
	for _, args := range [][]string{{"--help"}, {"help", "serve"}, {"keys", "--help"}, {"version"}} {
		if r := run(t, dir, nil, args...); r.code != 0 || r.stdout == "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// From an empty folder to a server without --dev, by following what the commands print.
func TestPrepareByHand(t *testing.T) {
	dir := t.TempDir()
	if r := run(t, dir, nil, "secret", "new", "keep/kek"); r.code != 0 {
		t.Fatalf("secret new: %+v", r)
	}
	run(t, dir, nil, "secret", "new", "keep/kek").failed(t, "keep/kek exists already")

	made := run(t, dir, nil, "service-key", "new", "--name", "app", "--scopes", "sessions:mint,sessions:read")
	var line, text string
	for l := range strings.Lines(made.stdout) {
		switch l = strings.TrimSpace(l); {
		case strings.HasPrefix(l, "- {"):
			line = l
		case strings.HasPrefix(l, "sk_"):
			text = l
		}
	}
	config := "secrets: [keep/kek]\nservice_keys:\n  " + line + "\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := run(t, dir, nil, "check"); r.code != 0 || r.stdout != "ok\n" {
		t.Fatalf("check: %+v\n%s", r, config)
	}
	https := []string{"ISSUER_ISSUER=https://auth.example.com"}
	r := run(t, dir, https, "check")
	if r.code != 0 || !strings.Contains(r.stdout, "advice: trusted_proxies is empty") || !strings.Contains(r.stdout, "proxy_buffer_size") ||
		!strings.HasSuffix(r.stdout, "\nok\n") {
		t.Errorf("check behind a proxy that is not named: %+v", r)
	}
	i := start(t, command(t, dir, anywhere(), "serve"))
	if got := i.printed(); got != "" {
		t.Errorf("without --dev the program prints %q", got)
	}
	var g grant
	if status := i.call("POST", "/v1/sessions", text, `{"user": {"id": "u1"}}`, &g); status != http.StatusCreated {
		t.Errorf("mint with the new key answers %d", status)
	}
	if status := i.call("POST", "/v1/users/u1/revoke-sessions", text, "", nil); status != http.StatusForbidden {
		t.Errorf("a scope that the key lacks answers %d", status)
	}
}

// A backup of a running issuer is a store that another issuer starts from.
func TestBackup(t *testing.T) {
	i := startDev(t, t.TempDir())
	kept := i.mint("u1")
	if r := i.cli("backup", "--out", "copy.db"); r.code != 0 || !strings.HasPrefix(r.stdout, "copy.db: ") {
		t.Fatalf("backup: %+v", r)
	}
	info, err := os.Stat(filepath.Join(i.dir, "copy.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v, want mode 600", info, err)
	}
	i.cli("backup", "--out", "copy.db").failed(t, "copy.db exists already")
	later := i.mint("u2")
	i.stop()
	i.cli("backup", "--out", "other.db").failed(t, "no issuer answers")
	if names, err := filepath.Glob(filepath.Join(i.dir, "*.db*")); err != nil || len(names) != 1 {
		t.Errorf("beside the backup there are %v, %v", names, err)
	}

	restored := startDev(t, i.dir, "ISSUER_STORE_PATH=copy.db", "ISSUER_STORE_CHECK=true")
	if _, status := restored.refresh(kept.RefreshToken); status != http.StatusOK {
		t.Errorf("a session from before the backup answers %d", status)
	}
	if _, status := restored.refresh(later.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("a session from after the backup answers %d", status)
	}
}

// A backup goes to standard output, too. If it cannot be complete, the exit code says so.
func TestBackupToStandardOutput(t *testing.T) {
	i := startDev(t, t.TempDir())
	kept := i.mint("u1")
	r := i.cli("backup", "--out", "-")
	if r.code != 0 || r.stderr != fmt.Sprintf("standard output: %d bytes\n", len(r.stdout)) {
		t.Fatalf("exit code %d, standard error %q", r.code, r.stderr)
	}
	if _, err := os.Lstat(filepath.Join(i.dir, "-")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file called -: %v", err)
	}
	i.stop()
	if r := i.cli("backup", "--out", "-"); r.code != 1 || r.stdout != "" {
		t.Errorf("without an issuer: %+v", r)
	}
	write(t, i.dir, "copy.db", r.stdout)
	restored := startDev(t, i.dir, "ISSUER_STORE_PATH=copy.db", "ISSUER_STORE_CHECK=true")
	if _, status := restored.refresh(kept.RefreshToken); status != http.StatusOK {
		t.Errorf("a session from before the backup answers %d", status)
	}
}

// Where hard links are refused a finished backup gets its name by a rename, which replaces no
// file. Where that fails as well, the copy stays.
func TestBackupWithoutHardLinksStrace(t *testing.T) {
	i := startDev(t, t.TempDir())
	backup := func(out string, inject ...string) result {
		t.Helper()
		cmd := command(t, i.dir, []string{"ISSUER_ADMIN_URL=" + i.admin}, "backup", "--out", out)
		args := []string{"strace", "-f", "-qq", "-o", "trace"}
		for _, fault := range inject {
			args = append(args, "-e", "inject="+fault)
		}
		cmd.Path, cmd.Args = tracer(t), append(args, cmd.Args...)
		return runCommand(t, cmd)
	}
	if r := backup("copy.db", "linkat:error=EPERM"); r.code != 0 || !strings.HasPrefix(r.stdout, "copy.db: ") {
		t.Errorf("without links: %+v", r)
	}
	if names, err := filepath.Glob(filepath.Join(i.dir, "copy.db*")); err != nil || len(names) != 1 {
		t.Errorf("beside the backup there are %v, %v", names, err)
	}
	r := backup("other.db", "linkat:error=EOPNOTSUPP", "renameat,renameat2:error=EIO")
	r.failed(t, "the backup is complete", "other.db.part-")
	names, err := filepath.Glob(filepath.Join(i.dir, "other.db*"))
	if err != nil || len(names) != 1 || !strings.Contains(names[0], ".part-") {
		t.Fatalf("what is left is %v, %v, want the copy alone", names, err)
	}
	for _, copied := range []string{filepath.Join(i.dir, "copy.db"), names[0]} {
		if info, err := os.Stat(copied); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", copied, info, err)
		}
	}
}

// tracer is the path of strace.
func tracer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// R06 for keys: restoring a backup brings a key back that was revoked after it, and the key
// signs, as docs/operations.md says. Revoking it again ends the sessions.
func TestRestoredBackupBringsKeysBack(t *testing.T) {
	i := startDev(t, t.TempDir())
	old := i.keys()[0].ID
	before := i.mint("u1")
	if r := i.cli("backup", "--out", "copy.db"); r.code != 0 {
		t.Fatalf("backup: %+v", r)
	}
	if r := i.cli("keys", "revoke", old, "--reason", "stolen"); r.code != 0 {
		t.Fatalf("keys revoke: %+v", r)
	}
	after := i.mint("u2")
	i.stop()
	if err := os.Rename(filepath.Join(i.dir, "copy.db"), filepath.Join(i.dir, "data/issuer.db")); err != nil {
		t.Fatal(err)
	}

	i = startDev(t, i.dir, "ISSUER_STORE_CHECK=true")
	if keys := i.keys(); len(keys) != 1 || keys[0].ID != old || keys[0].State != "active" {
		t.Fatalf("keys after the restore: %+v, want %s back", keys, old)
	}
	// The revocation of its sessions is lost, too, and so are sessions after the backup.
	restored, status := i.refresh(before.RefreshToken)
	if status != http.StatusOK {
		t.Errorf("a session that was ended after the backup answers %d", status)
	}
	if _, status := i.refresh(after.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("a session from after the backup answers %d", status)
	}
	if status := i.call("GET", "/v1/session", after.AccessToken, "", nil); status != http.StatusUnauthorized {
		t.Errorf("a token of a key from after the backup answers %d", status)
	}
	if r := i.cli("keys", "revoke", old, "--reason", "stolen, before the restore"); r.code != 0 {
		t.Fatalf("keys revoke: %+v", r)
	}
	if _, status := i.refresh(restored.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("after the key was revoked again its session answers %d", status)
	}
	if status := i.call("GET", "/v1/session", restored.AccessToken, "", nil); status != http.StatusUnauthorized {
		t.Errorf("after the key was revoked again its token answers %d", status)
	}
	next := i.mint("u1")
	if status := i.call("GET", "/v1/session", next.AccessToken, "", nil); status != http.StatusOK {
		t.Errorf("a new token answers %d", status)
	}
	// If it is not known what was revoked, the operator ends everything.
	if r := i.cli("session", "revoke", "--everyone", "--yes"); r.code != 0 {
		t.Fatalf("session revoke --everyone: %+v", r)
	}
	if _, status := i.refresh(next.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("after --everyone a session answers %d", status)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	i := startDev(t, t.TempDir())
	g := i.mint("u1")
	i.cli("compact").failed(t, "data/issuer.db", "another process")
	i.stop()
	if r := i.cli("compact"); r.code != 0 || !strings.HasPrefix(r.stdout, "data/issuer.db: ") {
		t.Fatalf("compact: %+v", r)
	}
	if info, err := os.Stat(filepath.Join(i.dir, "data/issuer.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v, want mode 600", info, err)
	}
	if _, status := startDev(t, i.dir).refresh(g.RefreshToken); status != http.StatusOK {
		t.Errorf("after compact the session answers %d", status)
	}
	run(t, t.TempDir(), nil, "compact").failed(t, "data/issuer.db", "no such file")
}

// A user id is any text, and reaches the issuer unchanged.
func TestOddUserIDs(t *testing.T) {
	i := startDev(t, t.TempDir())
	for _, user := range []string{"a b", "a/b", "a%2Fb", "a?b#c", "a+b&c", "äöü", "..", "-x", `a"b`} {
		i.mint(user)
		if r := i.cli("session", "list", "--user="+user); strings.Count(r.stdout, "live") != 1 {
			t.Errorf("list --user=%s: %+v", user, r)
		}
		if r := i.cli("session", "revoke", "--user="+user); r.stdout != "1 revoked\n" {
			t.Errorf("revoke --user=%s: %+v", user, r)
		}
	}
}
