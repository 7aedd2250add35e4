//go:build linux

package crashtest_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
)

// One of two issuers loses its connections with the database in all the ways that networks
// have, in the middle of what it does: also when a commit is on its way, or its answer.
func TestConnectionsFailPostgres(t *testing.T) {
	t.Parallel()
	f, server := newFleet(t, seeded(t)), pgtest.Shared(t)
	database := server.NewDatabase(t)
	proxy, dsn := pgtest.NewProxy(t, server.Address()), server.DSN(database)
	c := startCluster(t, dsn, []string{dsn, proxy.DSN(database)})
	c.connect(f)
	f.failures = true
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	for name, fail := range map[string]func(f *fleet, p *pgtest.Proxy){
		"reset":         (*fleet).whileReset,
		"requests lost": func(f *fleet, p *pgtest.Proxy) { f.whileLosing(p, pgtest.ToServer, pgtest.CutBefore) },
		"answers lost":  func(f *fleet, p *pgtest.Proxy) { f.whileLosing(p, pgtest.ToServer, pgtest.CutAfter) },
		"answers cut":   func(f *fleet, p *pgtest.Proxy) { f.whileLosing(p, pgtest.ToClient, pgtest.CutBefore) },
		"half-closed":   (*fleet).whileHalfClosed,
		"slow":          (*fleet).whileSlow,
		"partitioned":   (*fleet).whilePartitioned,
		"refused":       (*fleet).whileRefused,
		"answers held":  func(f *fleet, p *pgtest.Proxy) { f.whileHeld(p, pgtest.ToClient) },
		"requests held": func(f *fleet, p *pgtest.Proxy) { f.whileHeld(p, pgtest.ToServer) },
	} {
		for range rounds.Soak(t, 1, 3) {
			t.Log(name)
			rest := f.background()
			f.serves(50)
			fail(f, proxy)
			mended := time.Now()
			proxy.Refuse(false)
			proxy.Set(pgtest.ToServer, pgtest.Traffic{})
			proxy.Set(pgtest.ToClient, pgtest.Traffic{})
			c.recovered(mended)
			f.serves(50)
			rest()
			c.verify(f, false)
		}
	}
	c.finish(f, v)
	if slowest := time.Duration(f.slowest.Load()); slowest > answerWithin {
		t.Errorf("the slowest answer took %v", slowest)
	}
}

func (f *fleet) whileReset(p *pgtest.Proxy) {
	for range 20 {
		f.serves(20)
		p.Cut()
	}
}

// whileLosing cuts a connection every now and then, when bytes of one direction arrive.
func (f *fleet) whileLosing(p *pgtest.Proxy, d pgtest.Direction, how pgtest.Cut) {
	const oneIn = 20
	p.Set(d, pgtest.Traffic{Watch: func([]byte) pgtest.Cut {
		if rand.IntN(oneIn) == 0 {
			return how
		}
		return pgtest.NoCut
	}})
	f.serves(400)
}

func (f *fleet) whileHalfClosed(p *pgtest.Proxy) {
	for range 5 {
		for _, d := range []pgtest.Direction{pgtest.ToServer, pgtest.ToClient} {
			p.HalfClose(d)
			f.serves(20)
		}
	}
}

func (f *fleet) whileSlow(p *pgtest.Proxy) {
	for _, d := range []pgtest.Direction{pgtest.ToServer, pgtest.ToClient} {
		p.Set(d, pgtest.Traffic{Delay: 100 * time.Millisecond})
	}
	f.serves(200)
}

// whilePartitioned holds everything back until the issuer answers 503, and then passes all of it.
func (f *fleet) whilePartitioned(p *pgtest.Proxy) {
	for _, d := range []pgtest.Direction{pgtest.ToServer, pgtest.ToClient} {
		p.Set(d, pgtest.Traffic{Blackhole: true})
	}
	f.fails(20)
}

func (f *fleet) whileHeld(p *pgtest.Proxy, d pgtest.Direction) {
	p.Set(d, pgtest.Traffic{Blackhole: true})
	f.fails(20)
}

func (f *fleet) whileRefused(p *pgtest.Proxy) {
	p.Refuse(true)
	p.Cut()
	f.fails(20)
}

// The server has no connection left for the issuers, which have few of their own anyway.
func TestConnectionsExhaustedPostgres(t *testing.T) {
	t.Parallel()
	f, server := newFleet(t, seeded(t)), pgtest.Start(t, pgtest.Settings{"max_connections": "24"})
	dsn := newDatabase(t, server)
	c := startCluster(t, dsn, []string{dsn, dsn}, "ISSUER_STORE_MAX_CONNECTIONS=4")
	c.connect(f)
	v := startVerifier(t, c.front.url(), c.issuers[0].api)
	rest := f.background()
	f.serves(300)
	rest() // nothing has failed
	f.failures = true
	for range rounds.Soak(t, 1, 3) {
		rest := f.background()
		release := exhaust(t, dsn)
		c.eventually("/readyz says that the store is away", (*api).unready)
		f.fails(10)
		release()
		c.recovered(time.Now())
		f.serves(200)
		rest()
		c.verify(f, false)
	}
	c.finish(f, v)
}

// exhaust takes all connections that a server has, also those that others have open, until
// release is called.
func exhaust(t *testing.T, dsn string) (release func()) {
	t.Helper()
	done, released := make(chan struct{}), make(chan struct{})
	first, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(released)
		taken := []*pgx.Conn{first}
		defer func() {
			for _, conn := range taken {
				_ = conn.Close(context.Background())
			}
		}()
		for {
			select {
			case <-done:
				return
			case <-t.Context().Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
			if conn, err := pgx.Connect(t.Context(), dsn+"&application_name=taken"); err == nil {
				taken = append(taken, conn)
				continue
			}
			const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE backend_type = 'client backend' AND application_name <> 'taken' AND pid <> pg_backend_pid() LIMIT 1`
			_, _ = first.Exec(t.Context(), others) // t ends, if anything
		}
	}()
	return func() {
		close(done)
		<-released
	}
}
