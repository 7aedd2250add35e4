package postgres

import (
	"context"
	"io"
	"slices"
	"testing"

	"issuer.example/session"
)

// late makes the first attempt arrive at the server after its connection was lost: once the
// session has been read again, and before the next attempt.
func late(try trySwaps) trySwaps {
	var lost []*call[swap]
	return func(ctx context.Context, batch []*call[swap]) error {
		if lost == nil {
			for _, c := range batch {
				next := *c.request.next
				lost = append(lost, &call[swap]{request: swap{version: c.request.version, next: &next, facts: c.request.facts}})
			}
			return io.ErrUnexpectedEOF
		}
		if len(lost) > 0 {
			if err := try(ctx, lost); err != nil {
				return err
			}
			lost = []*call[swap]{}
		}
		return try(ctx, batch)
	}
}

// An attempt that arrives after its connection was lost is the one that counts: the change is
// made once, decided once, and in the journal once.
func TestLateAttempt(t *testing.T) {
	db := openAt(t, Config{DSN: newDatabase(t)})
	ids := fill(t, db, 2)
	states, sessions := late(db.trySwapStates), late(db.trySwapSessions)
	db.swaps.run = func(batch []*call[swap]) { db.swapBatch(batch, states) }
	db.rewrites.run = func(batch []*call[swap]) { db.swapBatch(batch, sessions) }

	if s, err := advance(t.Context(), db, ids[0]); err != nil || s.State.Generation != 1 {
		t.Errorf("generation %d, %v", s.State.Generation, err)
	}
	if got := generation(t, db, ids[0]); got != 1 {
		t.Errorf("generation %d after one change", got)
	}
	if s, err := advance(t.Context(), db, ids[0]); err != nil || s.State.Generation != 2 {
		t.Errorf("the next change leads to generation %d, %v", s.State.Generation, err)
	}

	before, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	decided := 0
	_, err = db.Change(t.Context(), session.Target{Ref: session.Ref{ID: ids[1]}}, func(session.Snapshot, session.Snapshot) (session.Change, error) {
		decided++
		end := session.End{At: begin(), Reason: session.ReasonSignOut}
		return session.Change{End: &session.Ending{End: end, Notice: session.Notice{Issued: begin()}}}, nil
	})
	if err != nil || decided != 1 {
		t.Errorf("the end was decided %d times, %v", decided, err)
	}
	facts, _, err := db.Facts(t.Context(), before, 10)
	if err != nil || len(facts) != 1 {
		t.Errorf("the journal has %d facts of one end, %v", len(facts), err)
	}
}

// A swap that was made before its batch failed for another one's sake is not made again.
func TestBatchFailsAfterLostAnswer(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	before, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var batch []*call[swap]
	for n, id := range fill(t, db, 3) {
		seen, err := db.read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPlan(seen, &session.Change{End: &session.Ending{End: session.End{At: begin(), Reason: session.ReasonSignOut}}})
		if err != nil {
			t.Fatal(err)
		}
		if n == 2 {
			p.next.Session.Label = "\x00" // which no text of the database can have
		}
		batch = append(batch, &call[swap]{request: swap{version: seen.version, next: p.next, facts: p.facts}, done: make(chan struct{})})
	}
	first := batch[0]
	lost := false
	db.swapBatch(slices.Clone(batch), func(ctx context.Context, open []*call[swap]) error {
		if lost {
			return db.trySwapSessions(ctx, open)
		}
		lost = true
		if err := db.trySwapSessions(ctx, []*call[swap]{first}); err != nil {
			return err
		}
		first.request.won = false // its answer is lost
		return io.ErrUnexpectedEOF
	})
	for n, c := range batch {
		<-c.done
		if good := n < 2; c.request.won != good || (c.err == nil) != good {
			t.Errorf("swap %d: made %v, %v", n, c.request.won, c.err)
		}
	}
	if facts, _, err := db.Facts(t.Context(), before, 10); err != nil || len(facts) != 2 {
		t.Errorf("the journal has %d facts of two ends, %v", len(facts), err)
	}
}
