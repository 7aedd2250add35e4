package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

func testContext(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Ended":  testContextEnded,
		"Closed": testClosed,
	})
}

// attempt tries every operation of a store on a session of u1, and returns the errors. What
// it is given to decide or to judge does not run.
func attempt(ctx context.Context, t failer, at store.Backend, id sid.ID) map[string]error {
	t.Helper()
	never := func(session.Snapshot) session.Verdict {
		t.Errorf("there was something to judge")
		return session.Verdict{}
	}
	create, m := limited(small("u1"), 1, session.LimitRefuse), markRequest(revocation.UserScope("u1"), after(1))
	create.Limit.Judge, m.Judge = never, never
	_, loadErr := at.Load(ctx, session.Ref{ID: id})
	_, listErr := at.List(ctx, session.Query{Limit: 1})
	_, createErr := at.Create(ctx, create)
	_, changeErr := at.Change(ctx, target(id), func(_, _ session.Snapshot) (session.Change, error) {
		t.Errorf("there was something to decide")
		return session.Change{}, nil
	})
	_, markErr := at.Mark(ctx, m)
	_, sweepErr := at.Sweep(ctx, session.SweepRequest{Now: after(100), Judge: never})
	_, _, factsErr := at.Facts(ctx, 0, 1)
	_, _, revocationsErr := at.Revocations(ctx, 0, 1)
	_, keysErr := at.LoadKeys(ctx)
	return map[string]error{
		"load": loadErr, "list": listErr, "create": createErr, "change": changeErr, "mark": markErr,
		"sweep": sweepErr, "facts": factsErr, "revocations": revocationsErr, "load keys": keysErr,
		"swap keys": at.SwapKeys(ctx, 0, []byte("x"), []keys.Change{{KeyID: "k1", To: keys.Active, At: start()}}),
		"record":    at.Record(ctx, fact.Fact{Kind: fact.Administered, At: start(), What: "test"}),
	}
}

// A context that has ended keeps everything from happening.
func testContextEnded(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	want := f.contents(t)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for _, ctx := range []context.Context{ended, late} {
		for what, err := range attempt(ctx, t, f, idOf(s)) {
			if !errors.Is(err, ctx.Err()) || errors.Is(err, session.ErrUnavailable) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	equal(t, "contents", f.contents(t), want)
}

// A closed store answers nothing, and says why.
func testClosed(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	s := f.add(t, small("u1"))
	want := f.contents(t)
	if err := f.Healthy(); err != nil {
		t.Errorf("while it is open: %v", err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	errs := attempt(t.Context(), t, f, idOf(s))
	errs["healthy"] = f.Healthy()
	for what, err := range errs {
		if !errors.Is(err, session.ErrUnavailable) || errors.Is(err, keys.ErrConflict) {
			t.Errorf("%s of a closed store: %v", what, err)
		}
	}
	f.reopen()
	equal(t, "contents", f.contents(t), want)
}
