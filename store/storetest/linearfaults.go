package storetest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/rounds"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

// patience is how long a client waits for an operation while faults are injected.
const patience = 10 * time.Second

// retryAfter is how long a client waits after an operation that failed.
const retryAfter = 20 * time.Millisecond

// RunFaults checks that operations at several issuers take effect at one moment each, or not
// at all, while disturb makes the store fail. It is called beside the clients of each round,
// and returns when the store works again. An operation that fails with
// [session.ErrUnavailable] may have its effect or not, and may have it later.
func RunFaults(t *testing.T, harness Harness, issuers int, disturb func(t *testing.T)) {
	t.Helper()
	f := &faulty{fixture: newFixture(t, harness, issuers), disturb: disturb}
	for round := range rounds.Rounds(t, 2, 20) {
		f.sessions(t, round)
		f.users(t, round)
	}
	t.Logf("%d operations failed", f.failed.Load())
	if f.failed.Load() == 0 {
		t.Logf("no operation failed: the store has hidden all faults")
	}
}

// faulty is a store that is made to fail.
type faulty struct {
	*fixture

	disturb func(t *testing.T)
	failed  atomic.Int64
}

func (f *faulty) sessions(t *testing.T, round int) {
	t.Helper()
	ids := make([]sid.ID, 5)
	for n := range ids {
		ids[n] = f.begin(t, userOf(round, n))
	}
	weights := []action{redeem, redeem, redeem, redeem, redeem, redeem, read, read, read, read, revoke, mark}
	f.linear(t, stepSession, len(ids), weights, func(ctx context.Context, at store.Backend, op operation) ([]standing, error) {
		return decisions(ctx, at, op.action, ids[op.target], userOf(round, op.target))
	})
}

// begin adds a session, once the store can do that again after a fault.
func (f *faulty) begin(t *testing.T, user string) sid.ID {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); ; <-ticker.C {
		created, err := f.Create(t.Context(), request(small(user)))
		switch {
		case err == nil:
			return idOf(created.Session)
		case !errors.Is(err, session.ErrUnavailable) || time.Since(began) > patience:
			t.Fatalf("create: %v", err)
		}
	}
}

func (f *faulty) users(t *testing.T, round int) {
	t.Helper()
	const targets = 4
	f.linear(t, stepUser, targets, []action{create, create, read, read, mark}, func(ctx context.Context, at store.Backend, op operation) ([]standing, error) {
		user, now := "another "+userOf(round, op.target), start()
		switch op.action {
		case create:
			_, err := at.Create(ctx, request(begun(user, now)))
			return []standing{{}}, err
		case mark:
			m, err := at.Mark(ctx, markRequest(revocation.UserScope(user), now))
			return []standing{{live: m.Ended}}, err
		case read, redeem, revoke:
		}
		page, err := at.List(ctx, session.Query{UserID: user, Limit: plenty})
		return []standing{{live: len(slices.DeleteFunc(page.Sessions, covered))}}, err
	})
}

// linear lets clients work while the store fails, and checks the history.
func (f *faulty) linear(
	t *testing.T, step func(standing, action, standing) (bool, standing), targets int, weights []action,
	do func(ctx context.Context, at store.Backend, op operation) ([]standing, error),
) {
	t.Helper()
	h, mended := newTimeline(), make(chan struct{})
	go func() {
		defer close(mended)
		f.disturb(t)
	}()
	f.clients(targets, weights, func(client int, op operation) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		call := h.now()
		saw, err := do(ctx, f.issuers[client%len(f.issuers)], op)
		f.record(t, h, client, op, saw, err, call)
	})
	<-mended
	h.check(t, step)
}

// record adds what is known of an operation: each of its decisions may have had its effect,
// and the last has, if it succeeded. One that fails without a decision may still have an
// effect if it makes none.
func (f *faulty) record(t *testing.T, h *timeline, client int, op operation, saw []standing, err error, call int64) {
	t.Helper()
	decides := op.action == redeem || op.action == revoke
	switch {
	case err == nil:
		h.add(client, op, saw[len(saw)-1], call)
		saw = saw[:len(saw)-1]
	case !errors.Is(err, session.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded):
		t.Errorf("%v: %v", op, err)
		return
	default:
		f.failed.Add(1)
		defer time.Sleep(retryAfter)
		if !decides && op.action != read {
			op.known = unknown
			h.add(client, op, standing{}, call)
		}
	}
	if decides {
		op.known = attempted
		for _, s := range saw {
			h.add(client, op, s, call)
		}
	}
}
