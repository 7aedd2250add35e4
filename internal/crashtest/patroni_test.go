//go:build linux && failover

package crashtest_test

import (
	"testing"
	"time"

	"issuer.example/internal/pgtest"
)

// Patroni promotes the synchronous standby when the machine of the primary loses its power,
// and makes the former primary a standby once it is back.
func TestFailoverPatroni(t *testing.T) {
	p := pgtest.StartPatroni(t, 2)
	dsn := p.DSN("postgres") + "&connect_timeout=2"
	f := newFleet(t, seeded(t))
	c := startCluster(t, dsn, []string{dsn, dsn})
	c.connect(f)
	f.failures = true
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	for n := range failovers(t, 1) {
		primary := p.AwaitSynchronous(t)
		rest := f.background()
		f.serves(200)
		if n%3 == 2 {
			primary.KillServer(t) // its Patroni notices
		} else {
			primary.Kill(t)
		}
		f.fails(10)
		awaitAccepting(t, dsn)
		c.recovered(time.Now())
		f.serves(100)
		rest()
		c.verify(f, false)
		if n%3 != 2 {
			primary.Start(t)
		}
	}
	c.finish(f, v)
}
