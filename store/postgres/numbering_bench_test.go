package postgres

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/internal/pgtest"
)

// benchmarkDatabase is a database on a server that keeps what it acknowledges.
func benchmarkDatabase(b *testing.B) string {
	b.Helper()
	dsn := pgtest.Start(b, nil).Database(b)
	if _, err := Migrate(b.Context(), Config{DSN: dsn}, 0); err != nil {
		b.Fatal(err)
	}
	return dsn
}

// How many facts get their numbers in a second, when they wait in numbers: facts/s.
func BenchmarkNumbering(b *testing.B) {
	for _, size := range []int{20, 200, numberedAtOnce - 1} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			dsn := benchmarkDatabase(b)
			conn, db := connect(b, dsn), openAt(b, Config{DSN: dsn, Notify: NotifyListen, PollInterval: time.Hour})
			facts := make([]fact.Fact, size)
			for i := range facts {
				facts[i] = administered("test")
			}
			waitFor(b, db.journal.listening.Load)
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				insert(b, conn, facts...)
				b.StartTimer()
				if err := db.number(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "facts/s")
		})
	}
}

// How long after its commit another issuer can read a revocation, while facts of 4,000 sign-ins
// a second are written: p50-ms, p99-ms.
func BenchmarkRevocationUnderMints(b *testing.B) {
	dsn := benchmarkDatabase(b)
	db, other := openAt(b, Config{DSN: dsn}), openAt(b, Config{DSN: dsn})
	waitFor(b, other.journal.listening.Load)
	stop := mintFacts(b, dsn, db, 4000)
	watched := other.Watch(b.Context())
	head, err := other.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	conn, waits, number := connect(b, dsn), []time.Duration{}, uint64(0)
	for b.Loop() {
		insert(b, conn, withUntil(administered("revoked")))
		began := time.Now()
		db.wrote()
		for found := false; !found; {
			<-watched
			entries, _, err := other.Revocations(b.Context(), number, 10)
			if err != nil {
				b.Fatal(err)
			}
			found = len(entries) > 0
			number += uint64(len(entries))
		}
		waits = append(waits, time.Since(began))
	}
	minted := stop()
	after, err := other.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(minted, "mints/s")
	b.ReportMetric(float64(after-head)/b.Elapsed().Seconds(), "numbered/s")
}

// mintFacts writes the facts of so many sign-ins a second, in transactions of 8, until it is stopped.
func mintFacts(b *testing.B, dsn string, db *DB, rate int) (stop func() (perSecond float64)) {
	b.Helper()
	const together, lanes = 8, 4
	done, counted := make(chan struct{}), make(chan int, lanes)
	began := time.Now()
	for range lanes {
		conn := connect(b, dsn)
		go func() {
			n := 0
			defer func() { counted <- n }()
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second * lanes / time.Duration(rate)))):
				}
				facts := make([]fact.Fact, together)
				for i := range facts {
					facts[i] = administered("created")
				}
				insert(b, conn, facts...)
				db.wrote()
				n += together
			}
		}()
	}
	return func() float64 {
		close(done)
		total := 0
		for range lanes {
			total += <-counted
		}
		return float64(total) / time.Since(began).Seconds()
	}
}
