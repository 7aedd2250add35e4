package postgres_test

import (
	"net"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store/postgres"
)

// checked is a server for tests of what Check refuses, with a database that it accepts.
type checked struct {
	*pgtest.Server
	database string
}

func newChecked(t *testing.T) *checked {
	t.Helper()
	s := pgtest.Start(t, pgtest.Settings{"fsync": "off"})
	c := &checked{s, s.NewDatabase(t)}
	migrate(t, s.SocketDSN(c.database))
	s.Exec(t, "postgres", "ALTER ROLE postgres SET synchronous_commit = off", "CREATE ROLE app LOGIN", "CREATE ROLE secret LOGIN PASSWORD 'right'", "CREATE ROLE stranger LOGIN")
	s.Exec(t, c.database, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app, secret")
	s.Allow(t, "host all secret 127.0.0.1/32 scram-sha-256", "host all stranger 127.0.0.1/32 reject", "host all all 127.0.0.1/32 trust")
	return c
}

// dsn is that of the database for a user.
func (c *checked) dsn(user string, more ...string) string {
	host, port, _ := net.SplitHostPort(c.Address())
	return strings.Join(append([]string{"host=" + host, "port=" + port, "dbname=" + c.database, "user=" + user}, more...), " ")
}

// refuses checks that a database is refused with a sentence.
func refuses(t *testing.T, cfg postgres.Config, want ...string) {
	t.Helper()
	_, err := postgres.Check(t.Context(), cfg)
	if err == nil {
		t.Errorf("accepted; want %q", want)
		return
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%v; want %q", err, text)
		}
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("not a line without secrets: %q", err)
	}
}

// accepts checks that a database is accepted, and returns the notes.
func accepts(t *testing.T, cfg postgres.Config) string {
	t.Helper()
	notes, err := postgres.Check(t.Context(), cfg)
	if err != nil {
		t.Errorf("refused: %v", err)
	}
	return strings.Join(notes, "; ")
}

// Why there is no connection is said in a sentence for each cause.
func TestCheckConnection(t *testing.T) {
	t.Parallel()
	c := newChecked(t)
	if notes := accepts(t, postgres.Config{DSN: c.dsn("app")}); notes != "" {
		t.Errorf("notes: %s", notes)
	}
	refuses(t, postgres.Config{DSN: "postgres://u:hunter2@nowhere.invalid/d"}, `the host "nowhere.invalid" of the DSN is not known`)
	refuses(t, postgres.Config{DSN: "postgres://u:hunter2@127.0.0.1:1/d"}, "no database server listens at 127.0.0.1:1: start it")
	refuses(t, postgres.Config{DSN: "host=" + t.TempDir() + " user=u"}, "there is no socket of a database server")
	refuses(t, postgres.Config{DSN: c.dsn("secret", "password=hunter2")}, `"secret"`, "refuses the password")
	refuses(t, postgres.Config{DSN: c.dsn("secret")}, "refuses the password")
	accepts(t, postgres.Config{DSN: c.dsn("secret", "password=right")})
	refuses(t, postgres.Config{DSN: c.dsn("stranger")}, "does not let the user in", "pg_hba.conf")
	refuses(t, postgres.Config{DSN: c.dsn("nobody")}, "does not let the user in", `role "nobody" does not exist`)
	refuses(t, postgres.Config{DSN: c.dsn("app", "dbname=none")}, `"none"`, "no such database")
	refuses(t, postgres.Config{DSN: c.dsn("app", "statement_timeout=soon")}, "refuses a parameter of the DSN", "statement_timeout")
	refuses(t, postgres.Config{DSN: c.dsn("app", "sslmode=require")}, "has no TLS")
	refuses(t, postgres.Config{DSN: c.dsn("app"), ListenDSN: c.dsn("secret", "password=hunter2")}, "the DSN for listening cannot be used", "refuses the password")

	c.Exec(t, "postgres", "ALTER DATABASE "+c.database+" CONNECTION LIMIT 0")
	refuses(t, postgres.Config{DSN: c.dsn("app")}, "too many connections", "store.max_connections")
	c.Exec(t, "postgres", "ALTER DATABASE "+c.database+" CONNECTION LIMIT -1", "ALTER DATABASE "+c.database+" SET default_transaction_read_only = on")
	refuses(t, postgres.Config{DSN: c.dsn("app")}, "read-only, as a standby is")
	c.Exec(t, "postgres", "ALTER DATABASE "+c.database+" RESET default_transaction_read_only", "REVOKE CONNECT ON DATABASE "+c.database+" FROM PUBLIC")
	refuses(t, postgres.Config{DSN: c.dsn("app")}, "GRANT CONNECT ON DATABASE")
}

// The first of several hosts that takes writes is used.
func TestCheckSeveralHosts(t *testing.T) {
	t.Parallel()
	c := newChecked(t)
	_, port, _ := net.SplitHostPort(c.Address())
	accepts(t, postgres.Config{DSN: "postgres://app@127.0.0.1:1,nowhere.invalid:1,127.0.0.1:" + port + "/" + c.database + "?target_session_attrs=read-write"})
	refuses(t, postgres.Config{DSN: "postgres://app@127.0.0.1:1,127.0.0.1:" + port + "/none"}, "no such database")
}

// A server that answers nothing, and one that is silent, do not hold the check up.
func TestCheckSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	refuses(t, postgres.Config{DSN: "postgres://u:hunter2@127.0.0.1:" + port + "/d?connect_timeout=1"}, "does not answer in time", "127.0.0.1:"+port)
}

// What the server or the database lacks is said in a sentence for each.
func TestCheckDatabase(t *testing.T) {
	t.Parallel()
	c := newChecked(t)
	c.Exec(t, c.database, "CREATE SCHEMA old",
		`CREATE FUNCTION old.current_setting(text) RETURNS text LANGUAGE sql AS $$
			SELECT CASE $1 WHEN 'server_version_num' THEN '140011' WHEN 'server_version' THEN '14.11' ELSE pg_catalog.current_setting($1) END $$`,
		"GRANT USAGE ON SCHEMA old TO app")
	refuses(t, postgres.Config{DSN: c.dsn("app", "search_path=old,pg_catalog,public")}, "the server is PostgreSQL 14.11, which is too old: upgrade it to 15 or later")
	c.Exec(t, "postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
	refuses(t, postgres.Config{DSN: c.dsn("app", "dbname=ascii")}, "the database has the encoding SQL_ASCII: create one with ENCODING 'UTF8'")
	c.Exec(t, c.database, "ALTER TABLE users RENAME TO customers")
	refuses(t, postgres.Config{DSN: c.dsn("app")}, `a table is missing (relation "users" does not exist)`)
	c.Exec(t, c.database, "ALTER TABLE customers RENAME TO users")
	c.Exec(t, c.database, "REVOKE DELETE ON sessions, verifier_postings FROM app", "REVOKE ALL ON marks FROM app")
	refuses(t, postgres.Config{DSN: c.dsn("app")}, `the role "app" lacks privileges: GRANT DELETE ON marks`, "DELETE ON sessions", "UPDATE ON marks",
		"DELETE ON verifier_postings")
	c.Exec(t, "postgres", "ALTER ROLE stranger SET default_transaction_isolation = 'repeatable read'")
	c.Allow(t, "host all all 127.0.0.1/32 trust")
	refuses(t, postgres.Config{DSN: c.dsn("stranger")}, `transactions are repeatable read by default: ALTER ROLE "stranger" SET default_transaction_isolation`)
	c.Exec(t, "postgres", "ALTER ROLE secret SET synchronous_commit = off")
	if notes := accepts(t, postgres.Config{DSN: c.dsn("secret", "password=right")}); !strings.Contains(notes, "synchronous_commit is off") {
		t.Errorf("notes: %s", notes)
	}
	if notes := accepts(t, postgres.Config{DSN: c.dsn("secret", "password=right"), NoPreparedStatements: true}); !strings.Contains(notes, `ALTER ROLE "secret" SET statement_timeout`) {
		t.Errorf("notes: %s", notes)
	}
}

// With RequireSynchronous, a server whose commits wait for no standby is refused.
func TestCheckSynchronous(t *testing.T) {
	t.Parallel()
	c := newChecked(t)
	cfg := postgres.Config{DSN: c.dsn("app"), RequireSynchronous: true}
	refuses(t, cfg, "store.require_synchronous is set, and synchronous_standby_names is empty")
	for _, value := range []string{"off", "local"} {
		c.Exec(t, "postgres", "ALTER ROLE app SET synchronous_commit = "+value)
		refuses(t, cfg, "synchronous_commit is "+value+": set it to on")
	}
	c.Exec(t, "postgres", "ALTER ROLE app RESET synchronous_commit")
	c.Set(t, pgtest.Settings{"synchronous_standby_names": "standby"})
	refuses(t, cfg, "no synchronous standby is connected")
	c.Standby(t, "standby", nil)
	c.Await(t, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
	refuses(t, cfg, `the role may not see the standbys: GRANT pg_read_all_stats TO "app"`)
	c.Exec(t, "postgres", "GRANT pg_read_all_stats TO app")
	accepts(t, cfg)
}
