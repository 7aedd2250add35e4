package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"

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
