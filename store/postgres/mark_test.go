package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

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
		defer slow.Rollback(t.Context())
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

// fillUser gives a user sessions.
func fillUser(t testing.TB, db *DB, user string, n int) (ids []sid.ID) {
	t.Helper()
	var (
		last sid.ID
		b    pgx.Batch
	)
	for range n {
		last = sid.Next(last, begin())
		ids = append(ids, last)
		b.Queue(insertSession, insertArgs(plain(last, user))...)
	}
	b.Queue(raiseUser, user, uuid(last))
	if err := db.pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// A user with more sessions than a mark counts in its transaction has them all counted and covered.
func TestMarkOfManySessions(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	const many = maxCounted + 20
	ids := fillUser(t, db, "u1", many)
	last := ids[many-1]
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

// The sessions that are newer than the one that a mark spares end in transactions that are bounded.
func TestMarkEndsNewerSessionsInParts(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	ids := fillUser(t, db, "u1", 2*maxCounted)
	m := over(revocation.UserScope("u1"), begin())
	m.Holder, m.SpareHolder = ids[0], true
	if marked := mustMark(t, db, m); marked.Ended != len(ids)-1 {
		t.Errorf("%d sessions were ended of %d", marked.Ended, len(ids)-1)
	}
	if n := count(t, db, "SELECT count(*) FROM sessions WHERE ended_at IS NULL"); n != 1 {
		t.Errorf("%d sessions have no end", n)
	}
	const largest = `SELECT max(n) FROM (SELECT count(*) AS n FROM sessions WHERE ended_at IS NOT NULL GROUP BY xmin::text) s`
	if n := count(t, db, largest); n > newerAtOnce {
		t.Errorf("a transaction has ended %d sessions", n)
	}
	if s, err := db.Load(t.Context(), session.Ref{ID: ids[0]}); err != nil || !s.End.IsZero() || isMarked(s) {
		t.Errorf("the one that is spared: %+v, %v", s.End, err)
	}
}
