//go:build linux

package crashtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
)

// cluster is several issuers that share a database.
type cluster struct {
	t       *testing.T
	dsn     string // of the database, for the test
	issuers []*site
	front   *balancer
}

// running has a value for each cluster that runs. They compute all the time, and requests of
// too many at once would wait for the machine.
var running = make(chan struct{}, 2)

// startCluster makes the schema of a database, and starts an issuer for each of the DSNs by
// which they reach it, and what stands in front of them.
func startCluster(t *testing.T, database string, dsns []string, settings ...string) *cluster {
	t.Helper()
	running <- struct{}{}
	t.Cleanup(func() { <-running })
	c := &cluster{t: t, dsn: database, front: newBalancer(t)}
	first := newSite(t)
	first.environ = append(settings, "ISSUER_STORE_DRIVER=postgres")
	c.migrate(first)
	for _, dsn := range dsns {
		s := *first
		s.environ = append(s.environ[:len(s.environ):len(s.environ)], "ISSUER_STORE_DSN="+dsn)
		c.issuers = append(c.issuers, &s)
		s.launch(s.command(window))
	}
	for _, s := range c.issuers {
		s.serving()
	}
	return c
}

// window is refresh.concurrency_window of the issuers that share a database.
const window = time.Minute

// newDatabase makes a database on a server and returns its DSN.
func newDatabase(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	return s.DSN(s.NewDatabase(t))
}

func (c *cluster) migrate(s *site) {
	c.t.Helper()
	environ := append(s.environ[:len(s.environ):len(s.environ)], "ISSUER_STORE_DSN="+c.dsn)
	cmd := binary(c.t).Command(c.t.Context(), s.dir, environ, "migrate", "up")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("migrating: %v\n%s", err, out)
	}
}

// connect makes clients and verifiers call the issuers that run.
func (c *cluster) connect(f *fleet) {
	var (
		apis      []*api
		addresses []string
	)
	for _, s := range c.issuers {
		apis = append(apis, s.api)
		addresses = append(addresses, strings.TrimPrefix(s.api.public, "http://"))
	}
	f.retries = true
	f.connectAll(window, apis...)
	c.front.pass(addresses...)
}

// restart starts an issuer again that has ended.
func (c *cluster) restart(s *site) {
	c.t.Helper()
	s.launch(s.command(window))
	s.serving()
}

func (c *cluster) stop() {
	c.t.Helper()
	for _, s := range c.issuers {
		s.stop()
	}
}

// eventually waits until a condition holds at each issuer.
func (c *cluster) eventually(what string, holds func(*api) bool) {
	c.t.Helper()
	for _, s := range c.issuers {
		eventually(c.t, what+" at "+s.api.public, func() bool { return holds(s.api) })
	}
}

// verify checks everything that the clients know, once nothing works on an earlier request.
func (c *cluster) verify(f *fleet, thorough bool) {
	c.t.Helper()
	c.quiet()
	cuts, failures := f.cuts, f.failures
	f.cuts, f.failures = false, false
	f.verify(thorough)
	f.cuts, f.failures = cuts, failures
}

// quiet waits until the server executes nothing for clients. A request whose issuer is gone
// may still have been on its way there.
func (c *cluster) quiet() {
	c.t.Helper()
	const busy = `SELECT count(*) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid() AND datname = current_database()`
	eventually(c.t, "the server has done what it was asked", func() bool { return query[int](c.t, c.dsn, busy) == 0 })
}

// query reads one value from a database.
func query[T any](t *testing.T, dsn, text string, args ...any) (value T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := conn.QueryRow(ctx, text, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// awaitAccepting waits until a database accepts writes.
func awaitAccepting(t *testing.T, dsn string) {
	t.Helper()
	eventually(t, "the database accepts writes", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		_, err = conn.Exec(ctx, "UPDATE log_head SET number = number WHERE false")
		return err == nil
	})
}
