package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"issuer.example/keys"
	"issuer.example/session"
)

// A transaction reads what was committed before it began, whatever it has written.
func testOwnWrites(t *testing.T, open Open) {
	f := newFixture(t, open)
	a := small(id(1), "u1")
	f.create(t, a)
	due := session.Due{At: after(60), ID: idOf(a)}
	f.update(t, func(tx session.Tx) error {
		changed := a
		changed.Session.Label, changed.State.Generation = "changed", 9
		err := errors.Join(
			tx.Amend(changed.Session), tx.SetState(idOf(a), changed.State),
			tx.End(idOf(a), session.End{At: start(), Reason: session.ReasonSignOut}),
			create(tx, small(id(2), "u1")), tx.Revoke(userMark("u1", id(1), 5)), tx.Defer(due, after(90)),
		)
		if err != nil {
			return err
		}
		snap, err := tx.Session(idOf(a))
		if err != nil {
			return err
		}
		equal(t, "read in the transaction that changes it", snap, a)
		if _, err := tx.Session(id(2)); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("a session that the transaction creates: %v", err)
		}
		if _, ok, err := tx.Mark(userMark("u1", id(1), 5).Scope); ok || err != nil {
			t.Errorf("a mark that the transaction sets: %v, %v", ok, err)
		}
		before, err := tx.Due(after(1000), 10)
		equal(t, "due in the transaction that defers it", before, []session.Due{due})
		return err
	})
	if got := f.load(t, idOf(a)); got.End.IsZero() || got.Session.Label != "changed" {
		t.Errorf("the writes of the transaction: %+v", got)
	}
}

// A function that fails leaves nothing behind, whatever it has written.
func testErrorNoTrace(t *testing.T, open Open) {
	f := newFixture(t, open)
	a := full(id(1), "u1")
	f.create(t, a)
	stop := errors.New("changed its mind")
	err := f.Update(t.Context(), func(tx session.Tx) error {
		return errors.Join(
			create(tx, small(id(2), "u1")), tx.Amend(small(idOf(a), "u1").Session),
			tx.SetState(idOf(a), session.State{}), tx.Revoke(userMark("u1", id(9), 5)),
			tx.End(idOf(a), session.End{At: start(), Reason: session.ReasonSignOut}),
			tx.Defer(session.Due{At: a.State.LastSeenAt.Add(a.Session.IdleTimeout), ID: idOf(a)}, after(500)),
			stop,
		)
	})
	if !errors.Is(err, stop) {
		t.Fatalf("the error came back as %v", err)
	}
	for range 2 {
		equal(t, "session", f.load(t, idOf(a)), a)
		f.want(t, "u1", false, a)
		f.want(t, "u1", true)
		if entries, first := f.log(t); len(entries) != 0 || first != 1 {
			t.Errorf("log: %v, first %d", entries, first)
		}
		if f.Live() != 1 || f.LastID() != idOf(a) {
			t.Errorf("live %d, last %s", f.Live(), f.LastID())
		}
		f.reopen()
	}
	// The numbers that it would have used are given to the next.
	f.update(t, func(tx session.Tx) error { return tx.Revoke(userMark("u1", id(9), 5)) })
	if entries, _ := f.log(t); len(entries) != 1 || entries[0].Seq != 1 {
		t.Errorf("log: %v", entries)
	}
}

// A context that has ended keeps the function from running.
func testContext(t *testing.T, open Open) {
	f := newFixture(t, open)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for _, ctx := range []context.Context{ended, late} {
		err := f.Update(ctx, func(session.Tx) error { t.Error("update ran"); return nil })
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("update: %v", err)
		}
		err = f.View(ctx, func(session.Reader) error { t.Error("view ran"); return nil })
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("view: %v", err)
		}
		if _, _, err := f.Entries(ctx, 0, 1); !errors.Is(err, ctx.Err()) {
			t.Errorf("entries: %v", err)
		}
		if _, err := f.LoadKeys(ctx); !errors.Is(err, ctx.Err()) {
			t.Errorf("load keys: %v", err)
		}
		if err := f.SwapKeys(ctx, 0, []byte("x"), nil); !errors.Is(err, ctx.Err()) {
			t.Errorf("swap keys: %v", err)
		}
	}
}

// A closed store answers nothing, and says why.
func testClosed(t *testing.T, open Open) {
	f := newFixture(t, open)
	f.create(t, small(id(1), "u1"))
	if err := f.Healthy(); err != nil {
		t.Errorf("while open: %v", err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	ctx := t.Context()
	_, _, entriesErr := f.Entries(ctx, 0, 1)
	_, keysErr := f.LoadKeys(ctx)
	for what, err := range map[string]error{
		"healthy":   f.Healthy(),
		"view":      f.View(ctx, func(session.Reader) error { return nil }),
		"update":    f.Update(ctx, func(session.Tx) error { return nil }),
		"entries":   entriesErr,
		"load keys": keysErr,
		"swap keys": f.SwapKeys(ctx, 0, []byte("x"), nil),
	} {
		if !errors.Is(err, session.ErrUnavailable) || errors.Is(err, keys.ErrConflict) {
			t.Errorf("%s of a closed store: %v", what, err)
		}
	}
}
