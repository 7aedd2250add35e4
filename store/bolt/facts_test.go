package bolt_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store/bolt"
)

// end ends session n at a time; verifiers must know of it for so long.
func end(ctx context.Context, db *bolt.DB, n int, at time.Time, life time.Duration) error {
	_, err := change(ctx, db, n, func(session.Snapshot) session.Change {
		return session.Change{End: &session.Ending{
			End:    session.End{At: at, Reason: session.ReasonSignOut},
			Notice: session.Notice{Issued: at, Life: life},
		}}
	})
	return err
}

// sweep sweeps until there is nothing to do at that time; sessions are live and stay so.
func sweep(t *testing.T, db *bolt.DB, now time.Time) (swept session.Swept) {
	t.Helper()
	for more := true; more; {
		s, err := db.Sweep(t.Context(), session.SweepRequest{Now: now, Judge: live})
		if err != nil {
			t.Fatal(err)
		}
		swept.Ended += s.Ended
		swept.Forgotten += s.Forgotten
		swept.Unreadable += s.Unreadable
		more = s.More
	}
	return swept
}

// numbers are those of the facts and of the revocations that are kept: the first of each,
// and how many there are.
func numbers(t *testing.T, db *bolt.DB) [4]int {
	t.Helper()
	facts, first, err := db.Facts(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	entries, firstEntry, err := db.Revocations(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return [4]int{int(first), len(facts), int(firstEntry), len(entries)}
}

// A fact goes when it is older than facts are kept and verifiers no longer need it. Numbers
// go on from where they were, also when all are gone and the store has been opened again.
func TestFactsAreTrimmed(t *testing.T) {
	cfg := bolt.Config{Path: newPath(t), FactsKeep: time.Minute}
	db := start(t, cfg)
	at := func(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }
	for n := 1; n <= 3; n++ {
		mustCreate(t, db, n, "u") // facts 1 to 3, at 0
	}
	if err := end(t.Context(), db, 1, at(10), 5*time.Minute); err != nil { // fact 4, until 310
		t.Fatal(err)
	}
	if err := end(t.Context(), db, 2, at(20), time.Minute); err != nil { // fact 5, until 80
		t.Fatal(err)
	}
	for _, step := range []struct {
		second int
		want   [4]int
	}{
		{59, [4]int{1, 5, 1, 2}},
		{60, [4]int{4, 2, 1, 2}},
		{309, [4]int{4, 2, 1, 2}}, // neither has gaps: 5 waits for 4
		{310, [4]int{6, 0, 3, 0}},
	} {
		sweep(t, db, at(step.second))
		for range 2 {
			if got := numbers(t, db); got != step.want {
				t.Errorf("after %d s: %v, want %v", step.second, got, step.want)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = start(t, cfg)
		}
	}
	if err := end(t.Context(), db, 3, at(400), time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, want := numbers(t, db), [4]int{6, 1, 3, 1}; got != want {
		t.Errorf("what follows is %v, want %v", got, want)
	}
}

// An end that lies in the past is written now, and kept from now on.
func TestFactOfThePastIsKept(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t), FactsKeep: time.Minute})
	mustCreate(t, db, 1, "u")
	now := epoch.Add(time.Hour)
	idle := func(session.Snapshot) session.Verdict {
		return session.Verdict{End: session.End{At: epoch.Add(time.Minute), Reason: session.ReasonIdle}, Again: now.Add(time.Hour)}
	}
	if _, err := db.Sweep(t.Context(), session.SweepRequest{Now: now, Judge: idle}); err != nil {
		t.Fatal(err)
	}
	sweep(t, db, now.Add(time.Minute-1))
	facts, _, err := db.Facts(t.Context(), 0, 10)
	if err != nil || len(facts) != 1 || facts[0].Kind != fact.Ended || !facts[0].At.Equal(epoch.Add(time.Minute)) {
		t.Errorf("the facts are %+v (%v), want the end alone", facts, err)
	}
	sweep(t, db, now.Add(time.Minute))
	if facts, first, err := db.Facts(t.Context(), 0, 10); err != nil || len(facts) != 0 || first != 3 {
		t.Errorf("the facts are %+v (%v)", facts, err)
	}
}

// A sweep that finds nothing to do commits nothing.
func TestIdleSweepDoesNotCommit(t *testing.T) {
	var commits atomic.Int64
	db := start(t, bolt.Config{Path: newPath(t), Observe: func(bolt.Commit) { commits.Add(1) }})
	mustCreate(t, db, 1, "u")
	before := commits.Load()
	for second := range 3 {
		if swept := sweep(t, db, epoch.Add(time.Duration(second)*time.Second)); swept != (session.Swept{}) {
			t.Errorf("swept %+v", swept)
		}
	}
	if n := commits.Load() - before; n > 0 {
		t.Errorf("%d commits", n)
	}
}

// A refresh writes no fact, and one that commits beside others does not change their numbers.
func TestRefreshWritesNoFact(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	mustCreate(t, db, 1, "u")
	for range 10 {
		if err := advance(t.Context(), db, 1); err != nil {
			t.Fatal(err)
		}
	}
	if head, err := db.Head(t.Context()); head != 1 || err != nil {
		t.Errorf("the newest fact is %d (%v), want 1", head, err)
	}
}

// A fact that could not be read back is refused: it would make those beside it unreadable.
func TestFactsThatCannotBeStored(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	mustCreate(t, db, 1, "u")
	long := strings.Repeat("x", 256)
	for name, f := range map[string]fact.Fact{
		"what":  {What: long},
		"by":    {By: long},
		"key":   {KeyID: long},
		"scope": {Scope: revocation.Scope{Kind: revocation.KindSession}},
	} {
		f.At, f.Kind = epoch, fact.Administered
		if err := db.Record(t.Context(), f); err == nil {
			t.Errorf("%s: it was recorded", name)
		}
		f.Kind = fact.Changed
		_, err := change(t.Context(), db, 1, func(session.Snapshot) session.Change {
			return session.Change{Facts: []fact.Fact{f}}
		})
		if err == nil {
			t.Errorf("%s: it was added to a change", name)
		}
	}
	facts, _, err := db.Facts(t.Context(), 0, 10)
	if err != nil || len(facts) != 1 {
		t.Errorf("the facts are %+v (%v), want that of the sign-in", facts, err)
	}
}

// More facts than a chunk holds can be written by one commit; a reader can begin anywhere.
func TestManyFactsInOneCommit(t *testing.T) {
	t.Parallel()
	db := start(t, bolt.Config{Path: newPath(t)})
	const sessions = 200
	for n := 1; n <= sessions; n++ {
		mustCreate(t, db, n, "u")
	}
	release := hold(t, db)
	errs := make(chan error, sessions)
	for n := 1; n <= sessions; n++ {
		go func() { errs <- end(t.Context(), db, n, epoch, time.Hour) }()
	}
	becomes(t, "all callers wait", func() bool { return db.Waiting() == sessions })
	release()
	for range sessions {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	for after := range uint64(2*sessions + 1) {
		facts, first, err := db.Facts(t.Context(), after, 3)
		want := min(3, 2*sessions-int(after))
		if err != nil || first != 1 || len(facts) != want {
			t.Fatalf("after %d: %d facts from %d (%v), want %d", after, len(facts), first, err, want)
		}
		for i, f := range facts {
			if f.Number != after+1+uint64(i) {
				t.Errorf("after %d comes %d", after, f.Number)
			}
		}
	}
	for after := range uint64(sessions) {
		entries, _, err := db.Revocations(t.Context(), after, 1)
		if err != nil || len(entries) != 1 || entries[0].Seq != after+1 {
			t.Fatalf("after %d: %+v (%v)", after, entries, err)
		}
	}
	if db := reopen(t, db); len(sweepUntil(t, db, epoch.Add(2*time.Hour))) != 0 {
		t.Error("not all of them go")
	}
}

// reopen closes a store and opens it with a check of all that it has.
func reopen(t *testing.T, db *bolt.DB) *bolt.DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return start(t, bolt.Config{Path: db.Path(), Check: true})
}

func sweepUntil(t *testing.T, db *bolt.DB, now time.Time) []fact.Fact {
	t.Helper()
	sweep(t, db, now)
	facts, _, err := db.Facts(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// endsAfter is a context that has ended from the second time on that it is asked.
type endsAfter struct {
	context.Context
	asked int
}

func (c *endsAfter) Err() error {
	if c.asked++; c.asked > 1 {
		return context.Canceled
	}
	return nil
}

// A context that ends when the mark is set, but not all newer sessions have ended, does not
// give the error that says that nothing was changed.
func TestContextBetweenMarkAndEnds(t *testing.T) {
	db := start(t, bolt.Config{Path: newPath(t)})
	for n := 1; n <= 150; n++ {
		mustCreate(t, db, n, "u")
	}
	ctx := &endsAfter{Context: context.WithoutCancel(t.Context())}
	_, err := db.Mark(ctx, session.MarkRequest{
		Scope: revocation.UserScope("u"), At: epoch, Judge: live, Holder: id(1), SpareHolder: true,
	})
	if db.Live() == 150 {
		t.Fatalf("nothing was ended: %v", err)
	}
	refused(t, err)
}

// The marks of a user who has more sessions than one transaction may count or end.
func TestMarkOverMany(t *testing.T) {
	t.Parallel()
	db := start(t, bolt.Config{Path: newPath(t)})
	const sessions, holder = 600, 200
	for n := 1; n <= sessions; n++ {
		mustCreate(t, db, n, "u")
	}
	if err := end(t.Context(), db, 250, epoch, time.Hour); err != nil {
		t.Fatal(err)
	}
	marked, err := db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.UserScope("u"), At: epoch, Judge: live, Reason: session.ReasonUserRevoked,
		Holder: id(holder), SpareHolder: true, Notice: session.Notice{Issued: epoch, Life: time.Hour},
	})
	if err != nil || marked.Ended != sessions-2 || marked.Mark.SID != id(holder).Before() {
		t.Errorf("it has ended %d up to %s (%v), want %d", marked.Ended, marked.Mark.SID, err, sessions-2)
	}
	if sweep(t, db, epoch); db.Live() != 1 {
		t.Errorf("%d sessions live, want the holder's", db.Live())
	}
	marked, err = db.Mark(t.Context(), session.MarkRequest{Scope: revocation.UserScope("u"), At: epoch, Judge: live})
	if err != nil || marked.Ended != 1 {
		t.Errorf("then it ended %d (%v), want 1", marked.Ended, err)
	}
}
