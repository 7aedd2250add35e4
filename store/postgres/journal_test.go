package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/session"
)

// administered is a fact that can be told from others.
func administered(what string) fact.Fact {
	return fact.Fact{Kind: fact.Administered, At: time.UnixMilli(1_700_000_000_000).UTC(), What: what}
}

// withUntil is a fact that verifiers must know of.
func withUntil(f fact.Fact) fact.Fact {
	f.Until = f.At.Add(time.Hour)
	return f
}

// batchSender is a connection, a pool or a transaction.
type batchSender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// insert writes facts as the operations of the store do.
func insert(t testing.TB, tx batchSender, facts ...fact.Fact) {
	t.Helper()
	var b pgx.Batch
	queueFacts(&b, facts)
	if err := tx.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
}

func beginTx(t testing.TB, conn *pgx.Conn) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func commit(t testing.TB, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// whats are what the facts after a number say, after their numbers were checked.
func whats(t testing.TB, log fact.Log, after uint64) string {
	t.Helper()
	facts, _, err := log.Facts(t.Context(), after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, len(facts))
	for i, f := range facts {
		words[i] = f.What
		if f.Number != after+uint64(i)+1 {
			t.Errorf("%s has number %d, after %d others and %d", f.What, f.Number, i, after)
		}
	}
	return strings.Join(words, " ")
}

// A transaction that commits later than those that began after it gets later numbers, and
// what it has written is not lost.
func TestSlowTransaction(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	db, other := openAt(t, Config{DSN: dsn}), openAt(t, Config{DSN: dsn})
	slow := beginTx(t, connect(t, dsn))
	insert(t, slow, withUntil(administered("slow")), administered("slower"))
	recording(t, db)("quick")
	recording(t, other)("quicker")
	insert(t, db.pool, withUntil(administered("revoked")))
	if got := whats(t, db, 0); got != "quick quicker revoked" {
		t.Errorf("before the commit: %s", got)
	}
	commit(t, slow)
	for _, at := range []*DB{db, other} {
		if got := whats(t, at, 3); got != "slow slower" {
			t.Errorf("after the commit, after 3: %s", got)
		}
		entries, first, err := at.Revocations(t.Context(), 0, 10)
		if err != nil || first != 1 || len(entries) != 2 || entries[0].Seq != 1 || entries[0].Reason != "revoked" || entries[1].Seq != 2 {
			t.Errorf("revocations: %+v from %d, %v", entries, first, err)
		}
	}
	if err := db.Record(t.Context(), administered("last")); err != nil {
		t.Fatal(err)
	}
	if got := whats(t, other, 5); got != "last" {
		t.Errorf("after 5: %s", got)
	}
}

// Writers do not wait for whoever gives numbers, and a reader's context ends its waiting.
func TestWritersDoNotWaitForNumbers(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	db := openAt(t, Config{DSN: dsn})
	tx := beginTx(t, connect(t, dsn))
	if _, err := tx.Exec(t.Context(), lockHead); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := db.Record(t.Context(), administered("test")); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SwapKeys(t.Context(), 0, []byte("document"), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, _, err := db.Facts(ctx, 0, 1)
		failed <- err
	}()
	waitFor(t, func() bool {
		return one[int](t, tx.Conn(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) > 0
	})
	cancel()
	if err := <-failed; err != context.Canceled { //nolint:errorlint // that itself
		t.Errorf("a reader that gives up: %v", err)
	}
	commit(t, tx)
	if got := whats(t, db, 0); len(got) != 20*len("test ")-1 {
		t.Errorf("afterwards: %s", got)
	}
}

// waitFor waits for a condition that becomes true.
func waitFor(t testing.TB, is func() bool) {
	t.Helper()
	for !is() {
		select {
		case <-t.Context().Done():
			t.Fatal("it has not become true")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Issuers that give numbers at once leave no gap, give none twice, and show each fact that
// was acknowledged to everybody who asks afterwards.
func TestNumberingAtOnce(t *testing.T) {
	t.Parallel()
	const handles, writers, each = 4, 3, 60
	dsn := newDatabase(t)
	var (
		all     [handles]*DB
		readers sync.WaitGroup
		wg      sync.WaitGroup
		done    atomic.Bool
	)
	for i := range all {
		all[i] = openAt(t, Config{DSN: dsn, MaxConnections: 8})
		readers.Go(func() { followTo(t, all[i], handles*writers*each*2, &done) })
	}
	for i, db := range all {
		for w := range writers {
			wg.Go(func() { writeAndAsk(t, db, all[(i+1)%handles], fmt.Sprintf("%d-%d", i, w), each) })
		}
	}
	wg.Wait()
	done.Store(true)
	readers.Wait()
	conn := connect(t, dsn)
	if n := one[int](t, conn, `SELECT count(*) FROM pending_facts`); n != 0 {
		t.Errorf("%d facts have no number", n)
	}
}

// writeAndAsk writes pairs of facts, and asks another issuer for them.
func writeAndAsk(t testing.TB, db, other *DB, name string, times int) {
	for n := range times {
		head, err := other.Head(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		first, second := fmt.Sprintf("%s-%d", name, n), fmt.Sprintf("%s-%d+", name, n)
		insert(t, db.pool, withUntil(administered(first)), administered(second))
		db.wrote()
		facts, _, err := other.Facts(t.Context(), head, 1000)
		if err != nil {
			t.Error(err)
			return
		}
		place := func(what string) int {
			return slices.IndexFunc(facts, func(f fact.Fact) bool { return f.What == what })
		}
		if place(first) < 0 || place(second) < place(first) {
			t.Errorf("%s was written and is not among the %d facts after %d, before %s", first, len(facts), head, second)
		}
	}
}

// followTo reads the journal in small pages until there are so many facts and it is done.
func followTo(t testing.TB, log fact.Log, want uint64, done *atomic.Bool) {
	var read, revocation uint64
	seen := map[string]bool{}
	for {
		finished := done.Load()
		facts, _, err := log.Facts(t.Context(), read, 50)
		if err != nil {
			t.Error(err)
			return
		}
		for _, f := range facts {
			read++
			if f.Number != read || seen[f.What] {
				t.Errorf("fact %d (%s) comes where %d was to come", f.Number, f.What, read)
			}
			seen[f.What] = true
			if f.Revocation == 0 {
				continue
			}
			if revocation++; f.Revocation != revocation {
				t.Errorf("revocation %d comes where %d was to come", f.Revocation, revocation)
			}
		}
		if finished && len(facts) == 0 {
			if read != want {
				t.Errorf("%d facts were read of %d", read, want)
			}
			return
		}
	}
}

// Whoever gives numbers may die in the middle of it: others go on, and nothing is lost or doubled.
func TestNumberingKilled(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	db := openAt(t, Config{DSN: dsn, Notify: NotifyPoll, PollInterval: time.Hour}) // which numbers when it is told to
	conn, holder := connect(t, dsn), connect(t, dsn)
	const written = numberedAtOnce + 1000
	for range written / 100 {
		facts := make([]fact.Fact, 100)
		for i := range facts {
			facts[i] = withUntil(administered("test"))
		}
		insert(t, conn, facts...)
	}
	// The numberer stops when its facts are in their table and the head is about to be written.
	for _, statement := range []string{
		`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'`,
		`CREATE TRIGGER stop BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION stop()`,
		`SELECT pg_advisory_lock(1)`,
	} {
		if _, err := holder.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		failed := make(chan error)
		go func() { failed <- db.number(t.Context()) }()
		waitFor(t, func() bool {
			return one[int](t, conn, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`) > 0
		})
		if err := <-failed; !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("a numberer that was killed: %v", err)
		}
	}
	if n := one[int](t, conn, `SELECT count(*) FROM pending_facts`); n != written {
		t.Errorf("%d facts are pending, of %d", n, written)
	}
	if _, err := holder.Exec(t.Context(), `SELECT pg_advisory_unlock(1)`); err != nil {
		t.Fatal(err)
	}
	if got := whats(t, db, written-10); got != strings.TrimSpace(strings.Repeat("test ", 10)) {
		t.Errorf("the last facts: %s", got)
	}
	if n := one[int](t, conn, `SELECT count(*) FROM facts`); n != written {
		t.Errorf("%d facts have numbers, of %d", n, written)
	}
	if head := one[int](t, conn, `SELECT number FROM log_head WHERE number = revocation`); head != written {
		t.Errorf("the newest number is %d", head)
	}
}
