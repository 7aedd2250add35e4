package postgres

import (
	"errors"
	"sync"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
)

// Sign-ins above the limit, marks, ends and sweeps of the same users at four issuers do not lock each other out.
func TestNoDeadlocks(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	const issuers, rounds = 4, 25
	var wg sync.WaitGroup
	dbs := make([]*DB, issuers)
	for i := range dbs {
		dbs[i] = openAt(t, Config{DSN: dsn})
	}
	users := []string{"u1", "u2", "u3"}
	try := func(do func(db *DB, user string) error) {
		for i, db := range dbs {
			wg.Go(func() {
				for n := range rounds {
					if err := do(db, users[(i+n)%len(users)]); err != nil && !errors.Is(err, session.ErrNotFound) {
						t.Error(err)
					}
				}
			})
		}
	}
	try(func(db *DB, user string) error {
		c := signIn(user, 3)
		c.Limit.Policy = session.LimitEvictIdle
		_, err := db.Create(t.Context(), c)
		return err
	})
	try(func(db *DB, user string) error {
		page, err := db.List(t.Context(), session.Query{UserID: user, Limit: 10})
		if err != nil || len(page.Sessions) < 2 {
			return err
		}
		at := session.Target{Ref: session.Ref{ID: page.Sessions[0].Session.ID}, Holder: page.Sessions[1].Session.ID}
		_, err = db.Change(t.Context(), at, func(s, _ session.Snapshot) (session.Change, error) {
			s.State.Generation++
			return session.Change{State: &s.State}, nil
		})
		if err != nil {
			return err
		}
		m := over(revocation.UserScope(user), begin())
		m.Holder, m.SpareHolder = page.Sessions[len(page.Sessions)-1].Session.ID, true
		_, err = db.Mark(t.Context(), m)
		return err
	})
	try(func(db *DB, _ string) error {
		_, err := db.Mark(t.Context(), over(revocation.ClientScope("app"), begin()))
		return err
	})
	try(func(db *DB, _ string) error {
		_, err := db.Sweep(t.Context(), session.SweepRequest{Now: begin(), Judge: verdict(begin())})
		return err
	})
	wg.Wait()
	if n := count(t, dbs[0], "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}
