//go:build linux

package crashtest_test

import (
	"fmt"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
)

// failovers is how many times the failover tests kill a primary.
func failovers(t *testing.T, otherwise int) uint64 {
	t.Helper()
	return setting(t, "CRASHTEST_FAILOVERS", uint64(otherwise))
}

// The primary is killed under load and its synchronous standby promoted, again and again.
// What was acknowledged is there, and the issuers find the new primary by themselves.
func TestFailoverPostgres(t *testing.T) {
	primary := pgtest.Start(t, nil)
	standby := primary.Standby(t, "standby", nil)
	primary.RequireStandby(t, "standby")
	dsn := fmt.Sprintf("postgres://postgres@%s,%s/postgres?sslmode=disable&target_session_attrs=read-write&connect_timeout=2",
		primary.Address(), standby.Address())

	f := newFleet(t, seeded(t))
	c := startCluster(t, dsn, []string{dsn, dsn})
	c.connect(f)
	f.failures = true
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	for range failovers(t, 2) {
		rest := f.background()
		f.serves(200)
		primary.Kill(t)
		f.fails(10)
		c.eventually("/readyz says that the store is away", (*api).unready)
		standby.Promote(t)
		c.recovered(time.Now())
		f.serves(100)
		rest()
		c.verify(f, false)

		primary, standby = standby, primary
		standby.Follow(t, primary, "standby")
		primary.RequireStandby(t, "standby")
	}
	c.finish(f, v)
}
