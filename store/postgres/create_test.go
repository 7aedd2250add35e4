package postgres

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// A sign-in whose connection was lost during the commit is found, and not made again.
func TestUnknownSignIn(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	for what, commit := range map[string]func(n *newcomer) error{
		"in one round trip": func(n *newcomer) error {
			n.give(sid.ID{})
			added, err := n.insert(t.Context())
			if !added {
				t.Error("it was not added")
			}
			return err
		},
		"in a transaction": func(n *newcomer) error {
			return db.inTx(t.Context(), func(tx pgx.Tx) error { return n.createIn(t.Context(), tx) }, nil)
		},
	} {
		n, err := newNewcomer(db, signIn(what, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := commit(n); err != nil {
			t.Fatal(err)
		}
		id := n.session.Session.ID
		// A mark gives the session another version meanwhile.
		mustMark(t, db, over(revocation.UserScope(what), begin()))
		if err := db.inTx(t.Context(), func(tx pgx.Tx) error { return n.createIn(t.Context(), tx) }, nil); err != nil {
			t.Fatal(err)
		}
		if n.session.Session.ID != id || count(t, db, "SELECT count(*) FROM sessions WHERE user_id = $1", what) != 1 {
			t.Errorf("%s: %s was added, and then %s", what, id, n.session.Session.ID)
		}
	}
}

// A sign-in that the server makes long after its connection was lost does not add a second session.
func TestLateSignIn(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	n, err := newNewcomer(db, signIn("u1", 0))
	if err != nil {
		t.Fatal(err)
	}
	lost := n.give(sid.ID{})
	late := *n
	if err := db.inTx(t.Context(), func(tx pgx.Tx) error { return n.createIn(t.Context(), tx) }, nil); err != nil {
		t.Fatal(err)
	}
	if added, err := late.insert(t.Context()); added || err != nil {
		t.Errorf("it was added twice, as %s and %s: %v", lost, n.session.Session.ID, err)
	}
}

// A session whose insertion was answered, and whose connection was lost before the commit, has not begun.
func TestLostBeforeCommit(t *testing.T) {
	t.Parallel()
	db, proxy, _ := throughProxy(t, 1)
	server := openAt(t, Config{DSN: pgtest.Shared(t).SocketDSN(one[string](t, connect(t, db.cfg.DSN), "SELECT current_database()"))})
	const many = 1000 // so that the server has to send some answers before it has them all
	var batch []*call[creation]
	for n := range many {
		c, err := newNewcomer(db, signIn(fmt.Sprintf("u%05d", n), 0))
		if err != nil {
			t.Fatal(err)
		}
		c.give(sid.ID{})
		batch = append(batch, &call[creation]{request: creation{newcomer: c}, done: make(chan struct{})})
	}
	holding, err := server.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holding.Rollback(t.Context())
	if err := lockUser(t.Context(), holding, batch[many-1].request.session.Session.User.ID); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- db.tryCreateAll(t.Context(), batch) }()
	await(t, "the batch waits for the last user", func() bool {
		return count(t, server, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	})
	proxy.Cut()
	if err := <-failed; !isConnectionLost(err) {
		t.Errorf("the batch: %v", err)
	}
	for _, c := range batch {
		if c.request.added {
			t.Fatal("a session is said to have begun")
		}
	}
}
