package postgres

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
	"issuer.example/session"
)

// Requests that share a batch with one whose row somebody has locked for long are late, and do not fail with it.
func TestLockedRowFailsAlone(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	dsn := server.SocketDSN(newDatabaseOn(t, server))
	db := openAt(t, Config{DSN: dsn, StatementTimeout: time.Second})
	ids := fill(t, db, 12)
	user := func(n int) string { return "v" + strconv.Itoa(n) }
	for n := range ids {
		mustCreate(t, db, signIn(user(n), 0))
	}
	// The first one is slow, and the others queue behind it: a batch that has the second one.
	for what, c := range map[string]struct {
		lock func(tx pgx.Tx) error
		do   func(n int) error
	}{
		"sessions": {
			func(tx pgx.Tx) error {
				_, err := lockVersions(t.Context(), tx, ids[:2])
				return err
			},
			func(n int) error { _, err := advance(t.Context(), db, ids[n]); return err },
		},
		"users": {
			func(tx pgx.Tx) error {
				return errors.Join(lockUser(t.Context(), tx, user(0)), lockUser(t.Context(), tx, user(1)))
			},
			func(n int) error { _, err := db.Create(t.Context(), signIn(user(n), 0)); return err },
		},
	} {
		tx := beginTx(t, connect(t, dsn))
		if err := c.lock(tx); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for n := range ids {
			wg.Go(func() {
				switch err := c.do(n); {
				case n < 2 && !errors.Is(err, session.ErrUnavailable):
					t.Errorf("%s: the locked one %d: %v", what, n, err)
				case n >= 2 && err != nil:
					t.Errorf("%s: number %d: %v", what, n, err)
				}
			})
		}
		wg.Wait()
		commit(t, tx)
	}
}
