package postgres

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// verdict judges sessions at that time: they end by the clock or under a mark, and are kept for a day then.
func verdict(now time.Time) session.Judge {
	return func(s session.Snapshot) session.Verdict {
		end, idle := s.End, s.State.LastSeenAt.Add(s.Session.IdleTimeout)
		if end.IsZero() && isMarked(s) {
			end = session.End{At: s.Mark.At, Reason: session.Reason(s.Mark.Reason)}
		}
		if end.IsZero() && !now.Before(idle) {
			end = session.End{At: idle, Reason: session.ReasonIdle}
		}
		if end.IsZero() {
			return session.Verdict{Again: idle}
		}
		return session.Verdict{End: end, Again: end.At.Add(24 * time.Hour)}
	}
}

// signIn asks for a session of a user who may have so many.
func signIn(user string, most int) session.CreateRequest {
	s := plain(sid.ID{}, user)
	return session.CreateRequest{
		Session: s.Session, State: s.State, By: "backend",
		Admission: session.Admission{At: begin(), Limit: session.Limit{
			Max: most, Policy: session.LimitEvictOldest, Judge: verdict(begin()),
			Notice: session.Notice{Issued: begin(), Life: time.Minute},
		}},
	}
}

func mustCreate(t testing.TB, db *DB, c session.CreateRequest) sid.ID {
	t.Helper()
	created, err := db.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return created.Session.Session.ID
}

// over marks the sessions of a scope.
func over(scope revocation.Scope, at time.Time) session.MarkRequest {
	return session.MarkRequest{
		Scope: scope, At: at, Reason: session.ReasonServiceRevoked, By: "backend",
		Notice: session.Notice{Issued: at, Life: time.Minute}, Judge: verdict(at),
	}
}

func mustMark(t testing.TB, db *DB, m session.MarkRequest) session.Marked {
	t.Helper()
	marked, err := db.Mark(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return marked
}

// sweepUntilDone sweeps until there is nothing to do at that time.
func sweepUntilDone(t testing.TB, db *DB, now time.Time) (sum session.Swept) {
	t.Helper()
	for more := true; more; {
		swept, err := db.Sweep(t.Context(), session.SweepRequest{Now: now, Judge: verdict(now), Issued: now})
		if err != nil {
			t.Fatal(err)
		}
		sum.Ended += swept.Ended
		sum.Forgotten += swept.Forgotten
		more = swept.More
	}
	return sum
}

func count(t testing.TB, db *DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

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

// A mark whose connection was lost during the commit is found, with what it has done, and not set again.
func TestUnknownMark(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	for _, scope := range revocation.ScopesOf("u1", "app") {
		mustCreate(t, db, signIn("u1", 0))
		m := over(scope, begin())
		k := &marking{db: db, MarkRequest: &m, change: newVersion(), counted: -1}
		if err := k.set(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := db.inTx(t.Context(), func(tx pgx.Tx) error {
			if done, err := k.isSet(t.Context(), tx); !done {
				t.Errorf("the mark of %v is not found: %v", scope, err)
			}
			k.change++
			if done, err := k.isSet(t.Context(), tx); done {
				t.Errorf("another mark of %v is taken for it: %v", scope, err)
			}
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A sign-in that overlaps with a mark over everything and is committed late stays under the mark, whatever upkeep does.
func TestMarkOutlivesLateSignIns(t *testing.T) {
	t.Parallel()
	for _, scope := range []revocation.Scope{revocation.ClientScope("app"), revocation.EverythingScope()} {
		db := openAt(t, Config{DSN: newDatabase(t)})
		slow, err := db.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Rollback(t.Context()) //nolint:errcheck // it is committed by then, if nothing fails
		late := sid.Next(sid.ID{}, begin().Add(-time.Millisecond))
		if _, err := slow.Exec(t.Context(), insertSession, insertArgs(plain(late, "slow"))...); err != nil {
			t.Fatal(err)
		}
		mustCreate(t, db, signIn("u1", 0))
		marked := mustMark(t, db, over(scope, begin()))
		if !marked.Mark.Covers(late) {
			t.Fatalf("%s is not below the mark", late)
		}
		now := begin().Add(10 * time.Minute)
		if swept := sweepUntilDone(t, db, now); swept.Ended != 1 {
			t.Errorf("%+v", swept)
		}
		if err := slow.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		sweepUntilDone(t, db, now)
		if s, err := db.Load(t.Context(), session.Ref{ID: late}); err != nil || !isMarked(s) {
			t.Errorf("the mark of %v is gone: %+v, %v", scope, s, err)
		}
		if _, err := db.pool.Exec(t.Context(), "UPDATE marks SET set_at = set_at - interval '1 minute', passed_at = passed_at - interval '1 minute'"); err != nil {
			t.Fatal(err)
		}
		if swept := sweepUntilDone(t, db, now); swept.Ended != 1 {
			t.Errorf("after a minute: %+v", swept)
		}
		if s, err := db.Load(t.Context(), session.Ref{ID: late}); err != nil || s.End.IsZero() {
			t.Errorf("it has no end on record: %+v, %v", s, err)
		}
		if n := count(t, db, "SELECT count(*) FROM marks"); n != 0 {
			t.Errorf("%d marks are left", n)
		}
	}
}

// A mark waits for changes of its user's sessions, and makes those fail that were decided before it.
func TestMarkChangesVersions(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	id := mustCreate(t, db, signIn("u1", 0))
	before, err := db.read(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	mustMark(t, db, over(revocation.UserScope("u1"), begin()))
	if after, err := db.read(t.Context(), id); err != nil || after.version == before.version {
		t.Errorf("the version stayed the same: %v", err)
	}
}

// A user with more sessions than a mark counts in its transaction has them all counted and covered.
func TestMarkOfManySessions(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	const many = maxCounted + 20
	var (
		ids  []sid.ID
		last sid.ID
		rows [][]any
	)
	for range many {
		last = sid.Next(last, begin())
		ids = append(ids, last)
		rows = append(rows, insertArgs(plain(last, "u1")))
	}
	var b pgx.Batch
	b.Queue(raiseUser, "u1", uuid(last))
	for _, args := range rows {
		b.Queue(insertSession, args...)
	}
	if err := db.pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	m := over(revocation.UserScope("u1"), begin())
	m.Holder, m.SpareHolder = ids[many/2], true
	if marked := mustMark(t, db, m); marked.Ended != many-1 {
		t.Errorf("%d sessions were ended of %d", marked.Ended, many-1)
	}
	if n := count(t, db, "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL"); n != many-1-many/2 {
		t.Errorf("%d newer sessions were ended of %d", n, many-1-many/2)
	}
	if marked := mustMark(t, db, over(revocation.UserScope("u1"), begin())); marked.Ended != 1 || !marked.Mark.Covers(last) {
		t.Errorf("all: %+v", marked)
	}
}

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

// The clock of an issuer is on record up to a minute ahead, and is written once a minute at most.
func TestReserve(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			if err := db.reserve(t.Context(), begin(), begin().Add(time.Duration(n)*time.Millisecond), time.Time{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var latest time.Time
	if err := db.pool.QueryRow(t.Context(), latestClocks).Scan(&latest); err != nil {
		t.Fatal(err)
	}
	if latest.Before(begin().Add(ahead)) || latest.After(begin().Add(ahead+31*time.Millisecond)) {
		t.Errorf("%v is on record", latest)
	}
	if n := count(t, db, "SELECT n_tup_ins + n_tup_upd FROM pg_stat_xact_all_tables WHERE relname = 'issuer_clocks'"); n > 1 {
		t.Errorf("it was written %d times", n)
	}
	other := openAt(t, Config{DSN: db.cfg.DSN})
	if err := other.reserve(t.Context(), begin().Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM issuer_clocks"); n != 1 {
		t.Errorf("%d clocks are on record; one is a day old", n)
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
	try(func(db *DB, user string) error {
		_, err := db.Mark(t.Context(), over(revocation.ClientScope("app"), begin()))
		return err
	})
	try(func(db *DB, user string) error {
		_, err := db.Sweep(t.Context(), session.SweepRequest{Now: begin(), Judge: verdict(begin())})
		return err
	})
	wg.Wait()
	if n := count(t, dbs[0], "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}
