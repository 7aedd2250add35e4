package postgres

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
	"issuer.example/sid"
)

// waiting is how many callers wait for the store at any time.
const waiting = 64

// filled opens a store with sessions as browsers have them, on a server that keeps what it acknowledges.
func filled(b *testing.B, sessions int) (*DB, []sid.ID) {
	b.Helper()
	server := pgtest.Start(b, pgtest.Settings{"shared_buffers": "256MB"})
	db := openAt(b, Config{DSN: server.SocketDSN(newDatabaseOn(b, server))})
	ids := fill(b, db, sessions)
	server.Exec(b, "postgres", "CHECKPOINT")
	return db, ids
}

// fill adds sessions, each of another user.
func fill(b testing.TB, db *DB, sessions int) []sid.ID {
	b.Helper()
	ids, last := make([]sid.ID, sessions), sid.ID{}
	for i := range ids {
		last = sid.Next(last, begin())
		ids[i] = last
	}
	_, err := db.pool.CopyFrom(b.Context(), pgx.Identifier{"sessions"}, regexp.MustCompile(`[a-z_]+`).FindAllString(insertColumns, -1),
		pgx.CopyFromSlice(sessions, func(i int) ([]any, error) { return insertArgs(browsers(ids[i])), nil }))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.pool.Exec(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return ids
}

// browsers is a session as a browser has it.
func browsers(id sid.ID) stored {
	s := plain(id, id.String())
	r, st := &s.Session, &s.State
	r.User.Email, r.User.Name = "somebody@example.com", "Somebody"
	r.IP = netip.MustParseAddr("2001:db8::7")
	r.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	st.LastFrom = session.Device{IP: r.IP, UserAgent: r.UserAgent}
	st.RedeemedFrom = st.LastFrom
	return s
}

// each runs an operation b.N times, with many callers at once.
func each(b *testing.B, ids []sid.ID, do func(ctx context.Context, id sid.ID) error) {
	b.Helper()
	b.ReportAllocs()
	var wg sync.WaitGroup
	began := time.Now()
	for w := range waiting {
		wg.Go(func() {
			for range (b.N + w) / waiting {
				if err := do(context.Background(), ids[rand.IntN(len(ids))]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "op/s")
}

// BenchmarkStore measures the two operations that a store is asked for most.
func BenchmarkStore(b *testing.B) {
	db, ids := filled(b, 10_000)
	at := begin()
	b.Run("Load", func(b *testing.B) {
		each(b, ids, func(ctx context.Context, id sid.ID) error {
			_, err := db.Load(ctx, session.Ref{ID: id})
			return err
		})
	})
	b.Run("Advance", func(b *testing.B) {
		each(b, ids, func(ctx context.Context, id sid.ID) error {
			_, err := db.Change(ctx, session.Target{Ref: session.Ref{ID: id}}, func(s, _ session.Snapshot) (session.Change, error) {
				s.State.Generation++
				s.State.RedeemedAt, s.State.LastSeenAt = at, at
				return session.Change{State: &s.State}, nil
			})
			return err
		})
	})
}

// BenchmarkPgbench measures what the server does for pgbench, one row a transaction, in the same conditions: what the
// figures of the store are compared with.
func BenchmarkPgbench(b *testing.B) {
	server := pgtest.Start(b, pgtest.Settings{"shared_buffers": "256MB"})
	server.Exec(b, "postgres", "CREATE TABLE accounts (id int PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 80)",
		"INSERT INTO accounts SELECT i, 0 FROM generate_series(1, 10000) i", "ANALYZE accounts", "CHECKPOINT")
	for name, statement := range map[string]string{
		"Select": "SELECT * FROM accounts WHERE id = :id;", "Update": "UPDATE accounts SET n = n + 1 WHERE id = :id RETURNING n;",
	} {
		b.Run(name, func(b *testing.B) {
			script := filepath.Join(b.TempDir(), "script.sql")
			if err := os.WriteFile(script, []byte("\\set id random(1, 10000)\n"+statement+"\n"), 0o600); err != nil {
				b.Fatal(err)
			}
			//nolint:gosec // arguments of the benchmark
			cmd := exec.CommandContext(b.Context(), "pgbench", "-n", "-M", "prepared", "-c", strconv.Itoa(waiting), "-j", "2",
				"-t", strconv.Itoa(b.N/waiting+1), "-f", script, server.SocketDSN("postgres"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			if tps := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out); tps != nil {
				figure, _ := strconv.ParseFloat(string(tps[1]), 64)
				b.ReportMetric(figure, "op/s")
			}
		})
	}
}
