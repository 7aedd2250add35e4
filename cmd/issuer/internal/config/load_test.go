package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/secret"
)

// shipped is the config.yaml of the repository.
const shipped = "../../../../config.yaml"

// load reads text as a file called config.yaml, with variables over it.
func load(t *testing.T, text string, environ ...string) (*config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(config.Source{Path: "config.yaml", Environ: environ})
}

// faults are the lines of the error that Load must give.
func faults(t *testing.T, err error) []string {
	t.Helper()
	var found config.Faults
	if !errors.As(err, &found) {
		t.Fatalf("Load: got error %v, want Faults", err)
	}
	return strings.Split(found.Error(), "\n")
}

func TestShippedFileHoldsTheDefaults(t *testing.T) {
	got, err := config.Load(config.Source{Path: shipped})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got); diff != "" {
		t.Errorf("config.yaml differs from the defaults (-default +file):\n%s", diff)
	}
}

func TestShippedFileShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range config.Paths() {
		if !has(doc, path) {
			t.Errorf("config.yaml does not show %s", path)
		}
	}
}

func has(doc map[string]any, path string) bool {
	head, rest, nested := strings.Cut(path, ".")
	value, ok := doc[head]
	if !nested {
		return ok
	}
	group, isGroup := value.(map[string]any)
	return isGroup && has(group, rest)
}

func TestEmptyFileIsTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "store:\n", "---\n"} {
		got, err := load(t, text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(config.Default(), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := config.Load(config.Source{Path: "config.yaml", Optional: true}); err != nil {
		t.Errorf("optional file: %v", err)
	}
	_, err := config.Load(config.Source{Path: "config.yaml"})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("required file: got %v, want an error that names it", err)
	}
}

func TestFileThenEnvironment(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	got, err := load(t, `
issuer: https://id.example.com
hosts: [issuer.internal.example.com]
access_token: {lifetime: 1m, audience: [one, two]}
limits: {idle_connection: 620s}
session:
  max_per_user: 5
service_keys:
  - {name: a, sha256: "`+hash+`", scopes: [sessions:mint]}
`,
		"ISSUER_ACCESS_TOKEN_LIFETIME=2m",
		"ISSUER_SESSION_REVOKE_ALL_REQUIRES_FRESH=true",
		"ISSUER_CORS_ALLOWED_ORIGINS=https://a.example, https://b.example:8443, capacitor://localhost, https://*.preview.b.example",
		"ISSUER_STORE_PATH=/var/lib/issuer/db",
		"PATH=/bin", "ISSUER_ADMIN_KEY=sk_x",
		"ISSUER_SERVICE_HOST=10.0.0.1", "ISSUER_PORT_8080_TCP=tcp://10.0.0.1:8080",
	)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Issuer = "https://id.example.com"
	want.Hosts = []string{"issuer.internal.example.com"}
	want.Limits.IdleConnection = 620 * time.Second
	want.AccessToken.Lifetime = 2 * time.Minute
	want.AccessToken.Audience = []string{"one", "two"}
	want.Session.MaxPerUser = 5
	want.Session.RevokeAllRequiresFresh = true
	want.CORS.AllowedOrigins = []string{"https://a.example", "https://b.example:8443", "capacitor://localhost", "https://*.preview.b.example"}
	want.Store.Path = "/var/lib/issuer/db"
	want.ServiceKeys = []config.ServiceKey{{Name: "a", SHA256: hash, Scopes: []string{"sessions:mint"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The variables that Kubernetes makes for Services called issuer or issuer-* set nothing; what only
// resembles them is still refused.
func TestKubernetesServices(t *testing.T) {
	group := func(name string) []string {
		return []string{
			name + "_SERVICE_HOST=10.0.0.1", name + "_SERVICE_PORT=8080", name + "_SERVICE_PORT_HTTP=8080", name + "_SERVICE_PORT_HTTP_ALT=8081",
			name + "_PORT=tcp://10.0.0.1:8080", name + "_PORT_8080_TCP=tcp://10.0.0.1:8080", name + "_PORT_8080_TCP_PROTO=tcp",
			name + "_PORT_8080_TCP_PORT=8080", name + "_PORT_8080_TCP_ADDR=10.0.0.1", name + "_PORT_53_UDP=udp://10.0.0.1:53",
			name + "_PORT_53_UDP_ADDR=10.0.0.1", name + "_PORT_7_SCTP=sctp://10.0.0.1:7",
		}
	}
	for _, name := range []string{"ISSUER", "ISSUER_ADMIN", "ISSUER_PUBLIC_2", "ISSUER_LISTEN", "ISSUER_METRICS_PORT"} {
		got, err := load(t, "", group(name)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(config.Default(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, entry := range []string{
		"ISSUER_PORT=8080", "ISSUER_ADMIN_PORT=9090", "ISSUER_SERVICE_HOSTS=10.0.0.1", "ISSUER_PORT_HTTP_TCP=x", "ISSUER_ADMIN_SERVICE=x", "ISSUER_LISTEN_ADDR=10.0.0.1",
	} {
		_, err := load(t, "", entry)
		if got := faults(t, err); len(got) != 1 || !strings.Contains(got[0], "no key of the configuration has this name") {
			t.Errorf("%s: got %q", entry, got)
		}
	}
}

// An empty variable is one that is not set.
func TestEmptyVariables(t *testing.T) {
	const file = "cors: {allowed_origins: [https://a.example]}\nsession: {max_per_user: 5}\n"
	want, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	var environ []string
	for _, path := range config.Paths() {
		environ = append(environ, config.Variable(path)+"=")
	}
	environ = append(environ, "ISSUER_STORE_DSN_FILE=", "ISSUER_STORE_LISTEN_DSN_FILE=", "ISSUER_SERVICE_KEYS_FILE=", "ISSUER_SECRETS_FILE=")
	got, err := load(t, file, environ...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The other form may then be set.
	if _, err := load(t, file, "ISSUER_SERVICE_KEYS=[]", "ISSUER_SERVICE_KEYS_FILE="); err != nil {
		t.Error(err)
	}
}

// Blocks of proxies are compared with addresses that are never IPv4 in IPv6.
func TestParseProxy(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1": "10.0.0.1/32", "10.0.0.0/8": "10.0.0.0/8", "::1": "::1/128", "2001:db8::/32": "2001:db8::/32",
		"::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:0.0.0.0/96": "0.0.0.0/0", "::/0": "::/0",
	} {
		if got, err := config.ParseProxy(text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10.0.0.0/33", "10.0.0", "fe80::1%eth0", "10.0.0.1:80", "localhost"} {
		if got, err := config.ParseProxy(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

// Every key has its variable, and no value goes unchecked: none may be a NUL.
func TestEveryKeyHasAVariable(t *testing.T) {
	for _, path := range config.Paths() {
		name := config.Variable(path)
		_, err := load(t, "", name+"=\x00")
		if err == nil {
			t.Errorf("%s: a NUL is taken", name)
			continue
		}
		for _, line := range faults(t, err) {
			if !strings.HasPrefix(line, name+": "+path) {
				t.Errorf("%s: fault %q does not name the variable and the key", name, line)
			}
		}
	}
}

func TestVariablesThatNameAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hash := strings.Repeat("cd", 32)
	keys := write("keys.json", `[{"name":"a","sha256":"`+hash+`","scopes":["admin"]}]`+"\n")
	kek := write("kek", secret.Generate())
	got, err := load(t, "", "ISSUER_SERVICE_KEYS_FILE="+keys, "ISSUER_SECRETS_FILE="+kek)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]config.ServiceKey{{Name: "a", SHA256: hash, Scopes: []string{"admin"}}}, got.ServiceKeys); diff != "" {
		t.Errorf("service_keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{kek}, got.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	_, err = load(t, "", "ISSUER_SERVICE_KEYS_FILE="+keys, "ISSUER_SERVICE_KEYS=[]")
	if got := faults(t, err); len(got) != 1 || !strings.Contains(got[0], "given twice") {
		t.Errorf("both forms: got %q", got)
	}
	_, err = load(t, "", "ISSUER_STORE_DSN_FILE="+filepath.Join(dir, "none"))
	if got := faults(t, err); len(got) != 1 || !strings.HasPrefix(got[0], "ISSUER_STORE_DSN_FILE: store.dsn: ") {
		t.Errorf("missing file: got %q", got)
	}
	dsn := write("dsn", "canary")
	if err := os.Chmod(dsn, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = load(t, "", "ISSUER_STORE_DSN_FILE="+dsn)
	if got := faults(t, err); len(got) != 1 || !strings.Contains(got[0], "open to other users") {
		t.Errorf("a secret that others can read: got %q", got)
	}
	if err := os.Chmod(keys, 0o644); err != nil { // hashes are not secret
		t.Fatal(err)
	}
	if _, err := load(t, "", "ISSUER_SERVICE_KEYS_FILE="+keys); err != nil {
		t.Error(err)
	}
}

// The keys of the driver postgres, from the file and the environment.
func TestPostgres(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(dsn, []byte("postgres://a@b/c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := load(t, `store:
  {driver: postgres, password_file: pw, notify: poll, poll_interval: 1s, statement_timeout: 2s, prepared_statements: false}`,
		"ISSUER_STORE_DSN_FILE="+dsn, "ISSUER_STORE_LISTEN_DSN=host=b user=a", "ISSUER_STORE_MAX_CONNECTIONS=40", "ISSUER_STORE_REQUIRE_SYNCHRONOUS=true")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Store.Driver, want.Store.DSN, want.Store.ListenDSN = config.DriverPostgres, "postgres://a@b/c", "host=b user=a"
	want.Store.PasswordFile, want.Store.Notify, want.Store.PollInterval = "pw", "poll", time.Second
	want.Store.StatementTimeout, want.Store.PreparedStatements = 2*time.Second, false
	want.Store.MaxConnections, want.Store.RequireSynchronous = 40, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is wrong with the data file is a fault of its key, beside the others.
func TestDataProblem(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := config.Load(config.Source{
		Environ:     []string{"ISSUER_STORE_PATH=a.db", "ISSUER_LISTEN=x"},
		DataProblem: func(s config.Store) (string, error) { return "store.path", errors.New(s.Path + " is open") },
	})
	if got := faults(t, err); len(got) != 2 || !slices.Contains(got, "ISSUER_STORE_PATH: store.path: a.db is open") {
		t.Errorf("got %q", got)
	}
}

func TestForServing(t *testing.T) {
	t.Chdir(t.TempDir())
	hash := strings.Repeat("ab", 32)
	src := config.Source{ForServing: true, Environ: []string{
		"ISSUER_SECRETS=kek", `ISSUER_SERVICE_KEYS=[{"name":"a","sha256":"` + hash + `","scopes":["admin"]}]`,
	}}
	if err := os.WriteFile("kek", []byte(secret.Generate()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(src); err != nil {
		t.Fatalf("prepared: %v", err)
	}
	if err := os.Chmod("kek", 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(src)
	if got := faults(t, err); len(got) != 1 || !strings.HasPrefix(got[0], "ISSUER_SECRETS: secrets[0]: ") {
		t.Errorf("world-readable secret: got %q", got)
	}
	_, err = config.Load(config.Source{ForServing: true})
	got := faults(t, err)
	if len(got) != 2 || !strings.Contains(got[0]+got[1], "secrets[0]: ") || !strings.Contains(got[0]+got[1], "service_keys: ") {
		t.Errorf("nothing prepared: got %q", got)
	}
}
