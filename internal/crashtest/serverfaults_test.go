//go:build linux

package crashtest_test

import (
	"testing"
	"time"

	"issuer.example/internal/pgtest"
)

// The disk of the server is full under load. What needs to write is answered 503, and when
// there is room again the issuers recover by themselves.
func TestDiskFullPostgres(t *testing.T) {
	t.Parallel()
	if !pgtest.CanMount(t) {
		return
	}
	const mebibytes = 128
	f, server := newFleet(t, seeded(t)), pgtest.StartOnSmallDisk(t, mebibytes, nil)
	dsn := server.DSN("postgres")
	c := startCluster(t, dsn, []string{dsn, dsn})
	c.connect(f)
	f.failures = true
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	rest := f.background()
	f.serves(200)
	server.FillDisk(t)
	f.fails(30)
	server.FreeDisk(t)
	awaitAccepting(t, dsn)
	c.recovered(time.Now())
	f.serves(200)
	rest()
	c.finish(f, v)
}

// Issuers share few connections of a PgBouncer in transaction mode.
func TestIssuersBehindPgbouncer(t *testing.T) {
	t.Parallel()
	f, server := newFleet(t, seeded(t)), pgtest.Shared(t)
	database := server.NewDatabase(t)
	pooler := server.Bouncer(t, pgtest.Settings{"default_pool_size": "4"})
	direct, dsn := server.DSN(database), pooler.DSN(database)
	c := startCluster(t, direct, []string{dsn, dsn}, "ISSUER_STORE_LISTEN_DSN="+direct, "ISSUER_STORE_PREPARED_STATEMENTS=false")
	c.connect(f)
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	rest := f.background()
	for range 5 {
		f.serves(100)
	}
	rest()
	c.finish(f, v)
}
