package bench_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/internal/pgtest"
	"issuer.example/jwt"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store/postgres"
)

// BenchmarkPostgresRefresh measures durable refreshes a second over HTTP on PostgreSQL, and in each round what pgbench
// reaches with one UPDATE … RETURNING of one row by primary key in each transaction.
func BenchmarkPostgresRefresh(b *testing.B) {
	program := build(b)
	for _, c := range []struct{ sessions, issuers int }{{10_000, 1}, {10_000, 2}, {5_000_000, 1}} {
		b.Run(fmt.Sprintf("sessions=%d/issuers=%d", c.sessions, c.issuers), func(b *testing.B) {
			db := newDatabase(b, c.sessions)
			addresses := db.serve(b, program, c.issuers, "")
			spread(b, addresses, db.data.tokens, time.Second) // warm up
			b.ResetTimer()
			ours, theirs := make([]result, 0, rounds), make([]result, 0, rounds)
			for range b.N * rounds {
				theirs = append(theirs, db.pgbench(b, updateScript))
				ours = append(ours, spread(b, addresses, db.data.tokens, roundTime))
			}
			report(b, "refreshes/s", ours, theirs)
			b.ReportMetric(float64(db.bytesOnDisk(b))/float64(c.sessions), "disk-B/session")
		})
	}
}

// BenchmarkPostgresMint measures sign-ins a second beside the same UPDATE.
func BenchmarkPostgresMint(b *testing.B) {
	db := newDatabase(b, 10_000)
	address := db.serve(b, build(b), 1, "")[0]
	compare(b, db, "mints/s", updateScript, func() result {
		return storm(b, connections, roundTime, func(i int) (*conn, func() error) {
			body := fmt.Sprintf(`{"user":{"id":"user-%08d","email":"user%08d@mail.example","name":"Ada Lovelace"}}`, i, i)
			head := fmt.Sprintf("POST /v1/sessions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
				"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", address, feedKey, len(body))
			c := dialFor(b, address, head+body)
			c.status = "HTTP/1.1 201"
			user := bytes.Index(c.request, []byte("user-")) + len("user-")
			return c, func() error {
				copy(c.request[user:], fmt.Sprintf("%08d", rand.IntN(10_000_000)))
				_, err := c.send()
				return err
			}
		})
	})
}

// BenchmarkPostgresRead measures reads of a session by its id, beside a SELECT by primary key.
func BenchmarkPostgresRead(b *testing.B) {
	db := newDatabase(b, 10_000)
	address := db.serve(b, build(b), 1, "")[0]
	compare(b, db, "reads/s", selectScript, func() result {
		return storm(b, connections, roundTime, func(int) (*conn, func() error) {
			c := dialFor(b, address, fmt.Sprintf("GET /v1/sessions/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
				db.ids[0], address, feedKey))
			return c, func() error {
				copy(c.request[len("GET /v1/sessions/"):], db.ids[rand.IntN(len(db.ids))].String())
				body, err := c.send()
				if err == nil && !bytes.Contains(body, []byte(`"Ada Lovelace"`)) {
					return errors.New("the answer is no session")
				}
				return err
			}
		})
	})
}

// BenchmarkPostgresFeed measures the time from the request for a revocation at one issuer until each of 100
// guards of another issuer has applied it.
func BenchmarkPostgresFeed(b *testing.B) {
	const guards, revocations = 100, 200
	program := build(b)
	for _, notify := range []string{"listen", "poll"} {
		b.Run(notify, func(b *testing.B) {
			db := newDatabase(b, 10_000)
			processes := db.processes(b, program, 2, "notify: "+notify)
			f := newFleet(b, processes[1], guards)
			var delays []time.Duration
			for n := range revocations {
				began := time.Now()
				path := fmt.Sprintf("/v1/users/%s/revoke-sessions", userOf(n))
				if status := processes[0].call(b, "POST", path, ""); status != 200 {
					b.Fatalf("revoke: %d", status)
				}
				f.await(b, 10*time.Second, func(s guard.Stats) bool { return s.Seq > uint64(n) })
				delays = append(delays, time.Since(began))
			}
			slices.Sort(delays)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(milliseconds(delays[len(delays)/2]), "last-guard-median-ms")
			b.ReportMetric(milliseconds(delays[len(delays)*99/100]), "last-guard-p99-ms")
		})
	}
}

// compare measures rounds of ours and of a script of pgbench in turn.
func compare(b *testing.B, db *database, unit, script string, measure func() result) {
	b.Helper()
	measure() // warm up
	b.ResetTimer()
	ours, theirs := make([]result, 0, rounds), make([]result, 0, rounds)
	for range b.N * rounds {
		theirs = append(theirs, db.pgbench(b, script))
		ours = append(ours, measure())
	}
	report(b, unit, ours, theirs)
}

// report reports the medians of rounds, and of their ratios.
func report(b *testing.B, unit string, ours, theirs []result) {
	b.Helper()
	rates, tails := make([]float64, len(ours)), make([]float64, len(ours))
	for i := range ours {
		rates[i] = ours[i].rate / theirs[i].rate
		tails[i] = ours[i].p99.Seconds() / theirs[i].p99.Seconds()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(medianRate(ours), unit)
	b.ReportMetric(medianRate(theirs), "pgbench/s")
	b.ReportMetric(median(rates), "x-pgbench")
	b.ReportMetric(median(tails), "p99-x-pgbench")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// spread refreshes random tokens at several issuers, to which connections are given in turn.
func spread(t testing.TB, addresses []string, tokens [][]byte, d time.Duration) result {
	t.Helper()
	share := len(tokens) / connections
	return storm(t, connections, d, func(i int) (*conn, func() error) {
		c, mine := dial(t, addresses[i%len(addresses)]), tokens[i*share:(i+1)*share]
		return c, func() error { return c.refresh(mine[rand.IntN(len(mine))]) }
	})
}

// database is a database with live sessions, on a server of its own.
type database struct {
	server *pgtest.Server
	dsn    string
	name   string
	data   *dataset
	ids    []sid.ID
}

func userOf(n int) string { return fmt.Sprintf("user-%08d", n) }

// newDatabase starts a server and fills a database with n sessions.
func newDatabase(t testing.TB, n int) *database {
	t.Helper()
	db := &database{server: pgtest.Start(t, pgtest.Settings{
		"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200",
	})}
	db.name = db.server.NewDatabase(t)
	db.dsn = db.server.SocketDSN(db.name)
	data, key := newDataset(t, n)
	db.data, db.ids = data, make([]sid.ID, n)
	ring, err := refresh.NewKeyring([]refresh.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	first := time.Now().Add(-3 * time.Hour).UnixMilli()
	for i := range db.ids {
		if db.ids[i], err = sid.Parse(idOf(first + int64(i))); err != nil {
			t.Fatal(err)
		}
		data.tokens[i] = []byte(ring.Seal(ring.First(db.ids[i])))
	}
	data.store = fmt.Sprintf("{driver: postgres, dsn: %q}", db.dsn)
	migrate(t, db.dsn)
	db.fill(t, first)
	return db
}

// idOf is the identifier of a millisecond, as fillStatement makes it.
func idOf(ms int64) string {
	digits := fmt.Sprintf("%012x", ms)
	return digits[:8] + "-" + digits[8:] + "-7000-8000-000000000000"
}

// fill adds the sessions, of which each began a millisecond after the one before, and what pgbench works on.
func (db *database) fill(t testing.TB, first int64) {
	t.Helper()
	db.server.Exec(t, db.name,
		fmt.Sprintf(fillStatement, first, userAgent, len(db.ids)-1),
		`INSERT INTO users SELECT user_id, sid FROM sessions`,
		`CREATE TABLE bench (id int PRIMARY KEY, n bigint NOT NULL, filler text NOT NULL) WITH (fillfactor = 80)`,
		fmt.Sprintf(`INSERT INTO bench SELECT i, 0, repeat('x', 300) FROM generate_series(1, %d) i`, benchRows),
	)
	db.server.Exec(t, db.name, `VACUUM (ANALYZE)`)
	db.server.Exec(t, db.name, `CHECKPOINT`)
}

// serve starts issuers on the database and returns their addresses.
func (db *database) serve(t testing.TB, program string, issuers int, more string) (addresses []string) {
	t.Helper()
	for _, p := range db.processes(t, program, issuers, more) {
		addresses = append(addresses, p.address)
	}
	return addresses
}

func (db *database) processes(t testing.TB, program string, issuers int, more string) (started []*process) {
	t.Helper()
	if more != "" {
		db.data.store = fmt.Sprintf("{driver: postgres, dsn: %q, %s}", db.dsn, more)
	}
	sum := sha256.Sum256([]byte(feedKey))
	key := fmt.Sprintf(`{name: fleet, sha256: "%s", scopes: [sessions:mint, sessions:read, sessions:revoke, revocations:read]}`, hex.EncodeToString(sum[:]))
	for range issuers {
		started = append(started, serveFor(t, program, db.data, jwt.ES256, key, ""))
	}
	return started
}

// bytesOnDisk is the size of the sessions with all that leads to them.
func (db *database) bytesOnDisk(t testing.TB) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(db.server.Query(t, db.name,
		`SELECT pg_total_relation_size('sessions') + pg_total_relation_size('users')`)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fillStatement adds sessions as they are after a sign-in.
const fillStatement = `INSERT INTO sessions (sid, version, user_id, client_id, email, name, image, scope, acr, label,
  user_agent, created_at, auth_time, expires_at, idle_timeout_ms, unclaimed, generation, branch, key_id, apart, was_due,
  redeemed_at, last_seen_at, due_at)
SELECT (lpad(to_hex(%d + n), 12, '0') || '70008000000000000000')::uuid, (random() * 9e18)::bigint,
  'user-' || lpad(n::text, 8, '0'), 'fleet', 'user' || n || '@mail.example', 'Ada Lovelace', '', '', '', '',
  '%s', now(), current_timestamp, now() + interval '30 days', 7 * 86400000::bigint, false,
  0, decode('00000000000000000000', 'hex'), 0, 0, false, now(), current_timestamp, now() + interval '7 days'
FROM generate_series(0::bigint, %d) AS n`

// migrate makes the schema.
func migrate(t testing.TB, dsn string) {
	t.Helper()
	if _, err := postgres.Migrate(context.Background(), postgres.Config{DSN: dsn}, 0); err != nil {
		t.Fatal(err)
	}
}
