package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/program"
)

// onPostgres is the environment of an issuer that keeps its sessions in a database.
func onPostgres(dsn string, more ...string) []string {
	return append([]string{"ISSUER_STORE_DRIVER=postgres", "ISSUER_STORE_PATH=", "ISSUER_STORE_DSN=" + dsn}, more...)
}

// prepareForDatabase writes what `issuer serve` needs besides a database.
func prepareForDatabase(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := program.Prepare(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "store: {path: data/issuer.db}\n", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// migrated makes a database with the tables.
func migrated(t *testing.T, s *pgtest.Server, dir string) (database string) {
	t.Helper()
	database = s.NewDatabase(t)
	if r := run(t, dir, onPostgres(s.DSN(database)), "migrate", "up"); r.code != 0 || !strings.HasPrefix(r.stdout, "applied 00001_base.sql\n") {
		t.Fatalf("migrate up: %+v", r)
	}
	return database
}

// `issuer migrate` makes the tables once, and says what it has done.
func TestMigratePostgres(t *testing.T) {
	s, dir := pgtest.Shared(t), prepareForDatabase(t)
	database := s.NewDatabase(t)
	environ := onPostgres(s.DSN(database))
	if r := run(t, dir, environ, "migrate", "status"); r.code != 0 || !strings.Contains(r.stdout, "00001_base.sql ") || strings.Count(r.stdout, " -\n") != strings.Count(r.stdout, ".sql") {
		t.Errorf("an empty database: %+v", r)
	}
	if r := run(t, dir, environ, "migrate", "up", "--partitions", "4"); r.code != 0 {
		t.Fatalf("up: %+v", r)
	}
	if r := run(t, dir, environ, "migrate", "up"); r.code != 0 || r.stdout != "the tables are up to date\n" {
		t.Errorf("up again: %+v", r)
	}
	if r := run(t, dir, environ, "migrate", "status"); r.code != 0 || strings.Contains(r.stdout, " -\n") {
		t.Errorf("status: %+v", r)
	}
	if got := s.Query(t, database, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'sessions'::regclass"); got != "4" {
		t.Errorf("%s partitions, want 4", got)
	}
	run(t, dir, environ, "migrate", "up", "--partitions", "3").failed(t, "power of two")
	run(t, dir, nil, "migrate", "up").failed(t, "store.driver: postgres")
	run(t, dir, environ, "compact").failed(t, "only a data file")

	// As the owner, and then as a role that may only read and write rows.
	s.Exec(t, "postgres", "CREATE ROLE owner_role LOGIN", "CREATE ROLE serving_role LOGIN", "CREATE DATABASE owned OWNER owner_role ENCODING 'UTF8' TEMPLATE template0")
	s.Exec(t, "owned", "ALTER DEFAULT PRIVILEGES FOR ROLE owner_role GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO serving_role")
	as := func(role string) string { return strings.Replace(s.DSN("owned"), "postgres@", role+"@", 1) }
	owner := filepath.Join(dir, "owner.dsn")
	if err := os.WriteFile(owner, []byte(as("owner_role")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	serving := onPostgres(as("serving_role"))
	run(t, dir, serving, "migrate", "up").failed(t, "permission denied")
	if r := run(t, dir, serving, "migrate", "up", "--dsn-file", owner); r.code != 0 {
		t.Fatalf("up as the owner: %+v", r)
	}
	if r := run(t, dir, serving, "check"); r.code != 0 {
		t.Errorf("check as the serving role: %+v", r)
	}
	i := startDev(t, t.TempDir(), serving...) // it finds nothing to migrate
	i.refresh(i.mint("u1").RefreshToken)
	i.stop()
}

// `make run STORE=postgres` runs the issuer with a PostgreSQL that ends with it, and keeps its data.
func TestRunPostgres(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../../tools/postgres")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "issuer-run-") //nolint:usetesting // the socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the user that PostgreSQL runs as has to get in
		t.Fatal(err)
	}
	var token string
	for range 2 {
		cmd := exec.Command(script, string(issuer), "serve", "--dev")
		cmd.Dir, cmd.Env = dir, append(anywhere(), "PATH="+os.Getenv("PATH"), "HOME="+dir, "GORACE=halt_on_error=1 atexit_sleep_ms=0")
		i := start(t, cmd)
		if token == "" {
			token = i.mint("u1").RefreshToken
		}
		g, status := i.refresh(token)
		if status != http.StatusOK {
			t.Errorf("a refresh: %d", status)
		}
		token = g.RefreshToken
		i.stop()
		if _, err := os.Stat(filepath.Join(dir, "data/postgres/postmaster.pid")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the server runs on: %v", err)
		}
	}
}

// What is wrong with a database has a sentence of its own, which both a check and a start say, without any
// password. The check names the variable or the line.
func TestBadDatabasePostgres(t *testing.T) {
	s, dir := pgtest.Start(t, pgtest.Settings{"fsync": "off"}), prepareForDatabase(t)
	ca, other := pgtest.NewAuthority(t), pgtest.NewAuthority(t)
	s.UseTLS(t, ca.Issue(t, "db.example.com"))
	s.Exec(t, "postgres", "CREATE ROLE locked LOGIN PASSWORD 'x'", "CREATE ROLE bare LOGIN", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
		"CREATE DATABASE foreign_one", "CREATE DATABASE empty_one")
	s.Allow(t, "host all locked 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust")
	s.Exec(t, "foreign_one", "CREATE TABLE orders (id int)")
	good, older, newer, old := migrated(t, s, dir), migrated(t, s, dir), migrated(t, s, dir), migrated(t, s, dir)
	s.Exec(t, older, "UPDATE issuer_schema SET version = 0")
	s.Exec(t, newer, "UPDATE issuer_schema SET version = 999, oldest_program = 999")
	s.Exec(t, old, `CREATE SCHEMA old`, `CREATE FUNCTION old.current_setting(text) RETURNS text LANGUAGE sql AS $$
		SELECT CASE $1 WHEN 'server_version_num' THEN '140011' WHEN 'server_version' THEN '14.11' ELSE pg_catalog.current_setting($1) END $$`)
	bouncer := s.Bouncer(t, nil)
	host, port, _ := net.SplitHostPort(s.Address())
	at := func(user, database, more string) string {
		return fmt.Sprintf("host=%s port=%s user=%s password=hunter2 dbname=%s %s", host, port, user, database, more)
	}
	for _, c := range []struct {
		name, dsn, want string
		more            []string
	}{
		{"a typo", "postgres:/issuer:hunter2@127.0.0.1/issuer", "the DSN cannot be used: it cannot be read; write postgres://", nil},
		{"a typo in a parameter", "postgres://u:hunter2@127.0.0.1/d?sslmod=require", "unknown parameter, which may be a typo", nil},
		{"unknown host", "postgres://u:hunter2@db.invalid/d", `the host "db.invalid" of the DSN is not known`, nil},
		{"refused", "postgres://u:hunter2@127.0.0.1:1/d", "no database server listens at 127.0.0.1:1", nil},
		{"wrong password", at("locked", good, ""), "refuses the password", nil},
		{"no such database", at("postgres", "nowhere", ""), "no such database", nil},
		{"another program's", at("postgres", "foreign_one", ""), "belongs to another program", nil},
		{"no schema", at("postgres", "empty_one", ""), "is empty; run `issuer migrate up`", nil},
		{"older schema", at("postgres", older, ""), "of an older issuer; run `issuer migrate up`", nil},
		{"newer schema", at("postgres", newer, ""), "of a newer issuer", nil},
		{"read-only", at("postgres", good, "options='-c default_transaction_read_only=on'"), "read-only, as a standby is", nil},
		{"too old", at("postgres", old, "search_path=old,pg_catalog,public"), "PostgreSQL 14.11, which is too old: upgrade it to 15 or later", nil},
		{"encoding", at("postgres", "ascii", ""), "has the encoding SQL_ASCII", nil},
		{"another certificate", at("postgres", good, "sslmode=verify-full sslrootcert="+ca.File), `does not match the host "127.0.0.1"`, nil},
		{"unknown authority", at("postgres", good, "sslmode=verify-ca sslrootcert="+other.File), "unknown authority", nil},
		{"privileges", at("bare", good, ""), "privilege", nil},
		{"a pooler", strings.Replace(bouncer.DSN(good), "postgres@", "postgres:hunter2@", 1), "set store.prepared_statements: false", nil},
		{
			"a pooler that listens", strings.Replace(bouncer.DSN(good), "postgres@", "postgres:hunter2@", 1), "set store.listen_dsn",
			[]string{"ISSUER_STORE_PREPARED_STATEMENTS=false"},
		},
		{"no standby", at("postgres", good, ""), "synchronous_standby_names is empty", []string{"ISSUER_STORE_REQUIRE_SYNCHRONOUS=true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			environ := onPostgres(c.dsn, c.more...)
			check, serve := run(t, dir, environ, "check"), run(t, dir, environ, "serve")
			check.failed(t, "ISSUER_STORE_DSN: store.dsn: ", c.want)
			serve.failed(t, "opening the database: ", c.want)
			if all := check.stdout + check.stderr + serve.stdout + serve.stderr; strings.Contains(all, "hunter2") {
				t.Errorf("the password is shown: %s", all)
			}
		})
	}
	if r := run(t, dir, onPostgres(at("postgres", good, "")), "check"); r.code != 0 || !strings.Contains(r.stdout, "ok\n") {
		t.Errorf("a good one: %+v", r)
	}
	run(t, dir, onPostgres(at("postgres", "ascii", "")), "migrate", "up").failed(t, "has the encoding SQL_ASCII")
	run(t, dir, onPostgres(at("postgres", "foreign_one", "")), "migrate", "up").failed(t, "belongs to another program")
	run(t, dir, onPostgres(at("locked", good, "")), "migrate", "status").failed(t, "refuses the password")
	password := filepath.Join(dir, "password")
	run(t, dir, onPostgres(at("locked", good, ""), "ISSUER_STORE_PASSWORD_FILE="+password), "check").
		failed(t, "ISSUER_STORE_PASSWORD_FILE: store.password_file: ", "no such file")
	run(t, dir, onPostgres(at("postgres", good, ""), "ISSUER_STORE_LISTEN_DSN="+at("locked", good, "")), "check").
		failed(t, "ISSUER_STORE_LISTEN_DSN: store.listen_dsn: ", "refuses the password")
}

// While the database is away, what needs it is answered 503 with Retry-After, tokens go on verifying, and
// /readyz tells the truth; afterwards all is as before, and what another issuer does is seen.
func TestOutagePostgres(t *testing.T) {
	s, dir := pgtest.Start(t, nil), t.TempDir()
	environ := onPostgres(s.DSN(s.NewDatabase(t)))
	a := startDev(t, dir, environ...)
	b := startDev(t, dir, environ...)
	g := a.mint("u1")
	keys := a.published()

	s.Stop(t)
	a.awaitReady(http.StatusServiceUnavailable)
	b.awaitReady(http.StatusServiceUnavailable)
	for _, c := range []struct{ method, path, bearer, body string }{
		{"POST", "/v1/sessions", a.serviceKey(), `{"user": {"id": "u1"}}`},
		{"POST", "/v1/session/refresh", "", `{"refresh_token": "` + g.RefreshToken + `"}`},
		{"GET", "/v1/session", g.AccessToken, ""},
		{"GET", "/v1/sessions?user_id=u1", a.serviceKey(), ""},
		{"GET", "/v1/sessions/" + g.Session.ID, a.serviceKey(), ""},
		{"DELETE", "/v1/session", g.AccessToken, ""},
		{"POST", "/v1/sessions/revoke-all", g.AccessToken, ""},
		{"POST", "/v1/sessions/revoke-others", g.AccessToken, ""},
		{"POST", "/v1/users/u1/revoke-sessions", a.serviceKey(), "{}"},
		{"DELETE", "/v1/sessions/" + g.Session.ID, a.serviceKey(), ""},
		{"GET", "/api/auth/get-session", g.AccessToken, ""},
	} {
		status, header := a.answer(c.method, c.path, c.bearer, c.body)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d, Retry-After %q; want 503 with it", c.method, c.path, status, header.Get("Retry-After"))
		}
	}
	if got := a.published(); got != keys {
		t.Errorf("the keys: %s, want %s", got, keys)
	}
	s.Start(t)
	a.awaitReady(http.StatusOK)
	b.awaitReady(http.StatusOK)
	g, status := b.refresh(g.RefreshToken)
	if status != http.StatusOK {
		t.Fatalf("a refresh at the other issuer: %d", status)
	}
	if status := b.call("DELETE", "/v1/session", g.AccessToken, "", nil); status/100 != 2 {
		t.Fatalf("a revoke at the other issuer: %d", status)
	}
	if _, status := a.refresh(g.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("a refresh of the revoked session: %d", status)
	}
	a.cli("backup", "--key-file", filepath.Join(dir, "data/dev/admin.key"), "--out", filepath.Join(dir, "x")).failed(t, "pg_dump")
	if text := string(a.metrics()); strings.Contains(text, "issuer_commit_duration_seconds_count 0\n") {
		t.Error("no commit is measured")
	}
	a.stop()
	b.stop()
}

// published returns the signing keys as the issuer publishes them.
func (i *issuer) published() string {
	i.t.Helper()
	res, err := http.Get(i.public + "/.well-known/jwks.json")
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		i.t.Fatalf("the keys: %d, %v", res.StatusCode, err)
	}
	return string(text)
}

// answer sends a request and returns its status and headers.
func (i *issuer) answer(method, path, bearer, body string) (int, http.Header) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), method, i.public+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header
}

// awaitReady waits until /readyz answers with a status.
func (i *issuer) awaitReady(want int) {
	i.t.Helper()
	var seen []int
	for ctx := soon(i.t); ctx.Err() == nil; {
		status, _ := i.answer("GET", "/readyz", "", "")
		if status == want {
			return
		}
		if !slices.Contains(seen, status) {
			seen = append(seen, status)
		}
	}
	i.t.Fatalf("/readyz answers %v, never %d", seen, want)
}
