//go:build linux

package crashtest_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
)

// Issuers are processes of their own on one database. Clients that send each request to
// another one see what a single issuer would answer.
func TestIssuersSharePostgres(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"one": 1, "two": 2, "four": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, dsn := newFleet(t, seeded(t)), newDatabase(t, pgtest.Shared(t))
			c := startCluster(t, dsn, slices.Repeat([]string{dsn}, n))
			c.connect(f)
			v := startVerifier(t, c.front.url(), c.issuers[0].api)
			rest := f.background()
			for range rounds.Soak(t, 5, 50) {
				f.serves(100)
			}
			rest()
			c.finish(f, v)
		})
	}
}

// finish checks everything at the end of a test, and stops the issuers.
func (c *cluster) finish(f *fleet, v *verifier) {
	c.t.Helper()
	c.verify(f, true)
	c.verifyJournal(f)
	v.verify(f)
	v.close()
	c.stop()
	c.t.Logf("%d acknowledged requests, %d answered 503, the slowest took %v", f.acknowledged.Load(), f.refused.Load(), time.Duration(f.slowest.Load()))
}

// Of two issuers, one after the other is killed under load. The clients go on at the other.
func TestKillIssuerOfTwoPostgres(t *testing.T) {
	t.Parallel()
	seed := seeded(t)
	choices := rand.New(rand.NewPCG(seed, seed))
	f, dsn := newFleet(t, seed), newDatabase(t, pgtest.Start(t, nil))
	c := startCluster(t, dsn, []string{dsn, dsn})
	c.connect(f)
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	for range setting(t, "CRASHTEST_KILLS", uint64(rounds.Soak(t, 5, 50))) {
		f.cuts = true
		rest := f.background()
		f.serves(1 + choices.Int64N(maxMoments))
		killed := c.issuers[choices.IntN(len(c.issuers))]
		killed.kill()
		f.serves(50)
		rest()
		c.restart(killed)
		c.connect(f)
		c.verify(f, false)
	}
	f.cuts = false
	c.finish(f, v)
}

// The server of the database is killed under load, with all its processes, and started again.
func TestKillPostgres(t *testing.T) {
	t.Parallel()
	f, server := newFleet(t, seeded(t)), pgtest.Start(t, nil)
	dsn := newDatabase(t, server)
	c := startCluster(t, dsn, []string{dsn, dsn})
	c.connect(f)
	f.failures = true
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	for range rounds.Soak(t, 1, 3) {
		p := newProbe(t, c.issuers[1].api)
		rest := f.background()
		f.serves(200)
		server.Kill(t)
		f.fails(10)
		c.eventually("/readyz says that the store is away", (*api).unready)
		p.refused()
		server.Start(t)
		c.recovered(time.Now())
		p.retried()
		f.serves(200)
		rest()
		c.verify(f, false)
	}
	c.finish(f, v)
}

// recovery is how long issuers may take to serve once the database accepts writes.
const recovery = 2 * time.Second

// recovered waits until all issuers serve, and checks how long after the database did that is.
func (c *cluster) recovered(since time.Time) {
	c.t.Helper()
	c.eventually("a sign-in succeeds", func(a *api) bool { return a.mint("recovered").status == http.StatusCreated })
	took := time.Since(since)
	c.eventually("/readyz says so", (*api).ready)
	c.t.Logf("served %v after the database, ready after %v", took, time.Since(since))
	if took > recovery && strict() {
		c.t.Errorf("the issuers serve %v after the database, want %v", took, recovery)
	}
}

// strict reports whether times are checked, which needs a machine that does nothing else.
func strict() bool { return os.Getenv("CRASHTEST_STRICT") != "" }
