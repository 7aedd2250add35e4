package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// Users who have no sessions are forgotten, and their identifiers grow on.
func TestUsersAreForgotten(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	mustMark(t, db, over(revocation.UserScope("nobody"), begin()))
	var last sid.ID
	for _, user := range []string{"u1", "u2"} {
		last = mustCreate(t, db, signIn(user, 0))
	}
	sweepUntilDone(t, db, begin().Add(time.Hour))
	if n := count(t, db, "SELECT count(*) FROM users"); n != 3 {
		t.Errorf("%d users are known of 3", n)
	}
	later := signIn("u1", 0)
	later.Session.CreatedAt, later.State.LastSeenAt = begin().Add(25*time.Hour), begin().Add(25*time.Hour)
	kept := mustCreate(t, db, later)
	for range 2 {
		sweepUntilDone(t, db, begin().Add(25*time.Hour+time.Minute))
	}
	if n := count(t, db, "SELECT count(*) FROM users WHERE user_id = 'u1' AND newest = $1", uuid(kept)); n != 1 || count(t, db, "SELECT count(*) FROM users") != 1 {
		t.Errorf("%d users are known, u1 among them: %d", count(t, db, "SELECT count(*) FROM users"), n)
	}
	if id := mustCreate(t, db, signIn("u2", 0)); id == last {
		t.Errorf("%s was given twice", id)
	}
}

// Issuers that sweep at once end and forget each session once between them.
func TestSweepTogether(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	const issuers, sessions = 4, 900
	dbs := make([]*DB, issuers)
	for i := range dbs {
		dbs[i] = openAt(t, Config{DSN: dsn, MaxConnections: 4})
	}
	var last sid.ID
	var b pgx.Batch
	for range sessions {
		last = sid.Next(last, begin())
		b.Queue(insertSession, insertArgs(plain(last, "u1"))...)
	}
	if err := dbs[0].pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	together := func(now time.Time) (sum session.Swept) {
		var (
			wg sync.WaitGroup
			mu sync.Mutex
		)
		for _, db := range dbs {
			wg.Go(func() {
				swept := sweepUntilDone(t, db, now)
				mu.Lock()
				defer mu.Unlock()
				sum.Ended += swept.Ended
				sum.Forgotten += swept.Forgotten
			})
		}
		wg.Wait()
		return sum
	}
	mustMark(t, dbs[0], over(revocation.ClientScope("app"), begin()))
	if sum := together(begin().Add(time.Minute)); sum.Ended != sessions || sum.Forgotten != 0 {
		t.Errorf("%+v", sum)
	}
	if sum := together(begin().Add(25 * time.Hour)); sum.Ended != 0 || sum.Forgotten != sessions {
		t.Errorf("%+v", sum)
	}
	facts, _, err := dbs[1].Facts(t.Context(), 0, 10*sessions)
	ends := map[sid.ID]int{}
	for _, f := range facts {
		if f.Kind == fact.Ended {
			ends[f.SID]++
		}
	}
	if err != nil || len(ends) != sessions || len(facts) != sessions+1 {
		t.Errorf("%d facts, %d ends: %v", len(facts), len(ends), err)
	}
}
