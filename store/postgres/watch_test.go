package postgres

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/keys"
)

// proxied is a database, and a proxy for the connection that listens.
func proxied(t testing.TB) (dsn string, proxy *pgtest.Proxy, listenDSN string) {
	t.Helper()
	server := pgtest.Shared(t)
	name := server.NewDatabase(t)
	dsn = server.SocketDSN(name)
	if _, err := Migrate(t.Context(), Config{DSN: dsn}, 0); err != nil {
		t.Fatal(err)
	}
	proxy = pgtest.NewProxy(t, server.Address())
	return dsn, proxy, proxy.DSN(name)
}

// wantTold fails unless a watcher of db is told of what write writes, each time.
func wantTold(t testing.TB, db *DB, write func(what string)) {
	t.Helper()
	watched := db.Watch(t.Context())
	for n := range 3 { // more often than a value can wait that was there before
		what := fmt.Sprintf("fact %d", n)
		head, err := db.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(what)
		select {
		case <-watched:
		case <-t.Context().Done():
			t.Fatal("nobody tells the watcher")
		}
		if got := whats(t, db, head); got != what {
			t.Errorf("after %d: %q", head, got)
		}
	}
}

// recording writes a fact through an issuer.
func recording(t testing.TB, db *DB) func(what string) {
	return func(what string) {
		t.Helper()
		if err := db.Record(t.Context(), administered(what)); err != nil {
			t.Fatal(err)
		}
	}
}

// A notification comes at once, and long before anybody looks.
func TestWatchListening(t *testing.T) {
	t.Parallel()
	dsn, _, listenDSN := proxied(t)
	other := openAt(t, Config{DSN: dsn, Notify: NotifyPoll})
	db := openAt(t, Config{DSN: dsn, ListenDSN: listenDSN, PollInterval: time.Hour})
	waitFor(t, db.journal.listening.Load)
	listener := openAt(t, Config{DSN: dsn}) // numbers what it writes, and notifies
	wantTold(t, db, recording(t, listener))
	wantTold(t, db, recording(t, db))
	if got := whats(t, other, 0); got == "" {
		t.Error("an issuer that polls reads nothing")
	}
}

// Notifications that are lost without a trace are made up for.
func TestWatchLostNotifications(t *testing.T) {
	t.Parallel()
	dsn, proxy, listenDSN := proxied(t)
	db, other := openAt(t, Config{DSN: dsn, ListenDSN: listenDSN}), openAt(t, Config{DSN: dsn})
	waitFor(t, db.journal.listening.Load)
	proxy.Set(pgtest.ToClient, pgtest.Traffic{Blackhole: true})
	wantTold(t, db, recording(t, other))
	if !db.journal.listening.Load() {
		t.Log("the connection was found out meanwhile")
	}
}

// While the connection that listens is gone, the journal is polled. It comes back, whatever
// the number of attempts, and the watchers are told of what they may have missed.
func TestWatchWithoutListener(t *testing.T) {
	t.Parallel()
	dsn, proxy, listenDSN := proxied(t)
	db := openAt(t, Config{DSN: dsn, ListenDSN: listenDSN, PollInterval: 20 * time.Millisecond})
	other := openAt(t, Config{DSN: dsn})
	waitFor(t, db.journal.listening.Load)
	proxy.Refuse(true)
	proxy.Cut()
	waitFor(t, func() bool { return !db.journal.listening.Load() })
	wantTold(t, db, recording(t, other))
	tried := proxy.Accepted()
	waitFor(t, func() bool { return proxy.Accepted() > tried+1 })
	proxy.Refuse(false)
	waitFor(t, db.journal.listening.Load)
	wantTold(t, db, recording(t, other))
}

// An issuer that polls needs no connection that listens, and finds also what an issuer has
// written that died before it could number it.
func TestWatchPolling(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	db := openAt(t, Config{DSN: dsn, Notify: NotifyPoll, PollInterval: 20 * time.Millisecond})
	other := openAt(t, Config{DSN: dsn, Notify: NotifyPoll, PollInterval: time.Hour})
	wantTold(t, db, recording(t, other))
	conn := connect(t, dsn)
	wantTold(t, db, func(what string) { insert(t, conn, administered(what)) })
	wantTold(t, other, recording(t, other))
	if n := one[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`); n > 0 {
		t.Errorf("%d connections listen", n)
	}
}

// Of the issuers that swap the keys at once, one wins each version, and only its changes are
// in the journal.
func TestKeysHaveOneWinner(t *testing.T) {
	t.Parallel()
	const handles, versions = 8, 10
	dsn := newDatabase(t)
	var all [handles]*DB
	for i := range all {
		all[i] = openAt(t, Config{DSN: dsn, MaxConnections: 2, Notify: NotifyPoll})
	}
	for version := range uint64(versions) {
		var (
			wg   sync.WaitGroup
			wins atomic.Int32
		)
		for i, db := range all {
			wg.Go(func() {
				changes := []keys.Change{{KeyID: fmt.Sprintf("k%d", i), To: keys.Active, At: time.Now()}}
				err := db.SwapKeys(t.Context(), version, fmt.Appendf(nil, "%d by k%d", version+1, i), changes)
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, keys.ErrConflict) {
					t.Errorf("swap: %v", err)
				}
			})
		}
		wg.Wait()
		stored, err := all[0].LoadKeys(t.Context())
		if err != nil || wins.Load() != 1 || stored.Version != version+1 {
			t.Errorf("%d won; version %d, %v", wins.Load(), stored.Version, err)
		}
		facts, _, err := all[1].Facts(t.Context(), version, 10)
		if err != nil || len(facts) != 1 || string(stored.Document) != fmt.Sprintf("%d by %s", version+1, facts[0].KeyID) {
			t.Errorf("the document is %q, and the journal says %+v: %v", stored.Document, facts, err)
		}
	}
}
