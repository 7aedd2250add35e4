package storetest

import (
	"errors"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

// plenty is more than any test stores.
const plenty = 1 << 20

// fixture is an open store, with a handle for each issuer.
type fixture struct {
	store.Backend // the first issuer's

	t        testing.TB
	instance Instance
	issuers  []store.Backend
}

func newFixture(t testing.TB, harness Harness, issuers int) *fixture {
	t.Helper()
	f := &fixture{t: t, instance: harness(t), issuers: make([]store.Backend, issuers)}
	f.open()
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	for i := range f.issuers {
		f.issuers[i] = f.instance.Open(f.t)
	}
	f.Backend = f.issuers[0]
}

// reopen closes the store and opens it again.
func (f *fixture) reopen() {
	f.t.Helper()
	f.instance.Close(f.t)
	f.open()
}

// crash opens what a crash leaves of the store.
func (f *fixture) crash() {
	f.t.Helper()
	f.instance.Crash(f.t)
	f.open()
}

// create adds sessions and returns them as the store has them.
func (f *fixture) create(t failer, snaps ...session.Snapshot) []session.Snapshot {
	t.Helper()
	stored := make([]session.Snapshot, len(snaps))
	for i, s := range snaps {
		stored[i] = createAt(t, f, s)
	}
	return stored
}

// add adds one session.
func (f *fixture) add(t failer, s session.Snapshot) session.Snapshot {
	t.Helper()
	return createAt(t, f, s)
}

// createAt adds a session through one of the issuers.
func createAt(t failer, at session.Store, s session.Snapshot) session.Snapshot {
	t.Helper()
	created, err := at.Create(t.Context(), request(s))
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return created.Session
}

// request asks for a session, without a limit.
func request(s session.Snapshot) session.CreateRequest {
	return session.CreateRequest{
		Session: s.Session, State: s.State, By: "backend",
		Admission: admission(s.Session.CreatedAt),
	}
}

// admission admits a session at that time, without a limit.
func admission(at time.Time) session.Admission {
	return session.Admission{At: at, Limit: session.Limit{Judge: judge(at), Notice: notice(at)}}
}

// load returns a session that must exist.
func (f *fixture) load(t failer, id sid.ID) session.Snapshot {
	t.Helper()
	snap, err := f.Load(t.Context(), session.Ref{ID: id})
	if err != nil {
		t.Fatalf("load %s: %v", id, err)
	}
	return snap
}

// change changes a session that must exist.
func (f *fixture) change(t failer, id sid.ID, c session.Change) session.Snapshot {
	t.Helper()
	return changeAt(t, f, id, c)
}

// changeAt changes a session that must exist through one of the issuers.
func changeAt(t failer, at session.Store, id sid.ID, c session.Change) session.Snapshot {
	t.Helper()
	snap, err := at.Change(t.Context(), target(id), always(c))
	if err != nil {
		t.Fatalf("change %s: %v", id, err)
	}
	return snap
}

func target(id sid.ID) session.Target { return session.Target{Ref: session.Ref{ID: id}} }

// always decides the same, whatever the session is like.
func always(c session.Change) session.Decision {
	return func(_, _ session.Snapshot) (session.Change, error) { return c, nil }
}

// ending ends a session at that time, and verifiers must know of it.
func ending(at time.Time, reason session.Reason) session.Change {
	return session.Change{End: &session.Ending{
		End: session.End{At: at, Reason: reason}, By: "backend", Notice: notice(at),
	}}
}

// end ends a session half an hour after the start.
func (f *fixture) end(t failer, id sid.ID, reason session.Reason) session.Snapshot {
	t.Helper()
	return f.change(t, id, ending(after(30), reason))
}

// markRequest asks for a mark at that time.
func markRequest(scope revocation.Scope, at time.Time) session.MarkRequest {
	return session.MarkRequest{
		Scope: scope, At: at, Reason: session.ReasonServiceRevoked, By: "backend",
		Notice: notice(at), Judge: judge(at),
	}
}

// mark sets a mark at that time.
func (f *fixture) mark(t failer, scope revocation.Scope, at time.Time) session.Marked {
	t.Helper()
	return markAt(t, f, markRequest(scope, at))
}

// markAt sets a mark through one of the issuers.
func markAt(t failer, at session.Store, m session.MarkRequest) session.Marked {
	t.Helper()
	marked, err := at.Mark(t.Context(), m)
	if err != nil {
		t.Fatalf("mark: %v", err)
	}
	return marked
}

// sweep sweeps once at that time.
func (f *fixture) sweep(t failer, now time.Time) session.Swept {
	t.Helper()
	swept, err := f.Sweep(t.Context(), session.SweepRequest{Now: now, Judge: judge(now), Issued: now})
	if err != nil {
		t.Fatalf("sweep: %v", err)
	}
	if swept.Unreadable != 0 {
		t.Errorf("sweep: %d records could not be read", swept.Unreadable)
	}
	return swept
}

// sweepAll sweeps until there is nothing more to do, and returns the sum.
func (f *fixture) sweepAll(t failer, now time.Time) (sum session.Swept) {
	t.Helper()
	for range plenty {
		s := f.sweep(t, now)
		sum.Ended += s.Ended
		sum.Forgotten += s.Forgotten
		if !s.More {
			return sum
		}
	}
	t.Fatalf("sweeping comes to no end")
	return sum
}

// list returns all sessions that match, in pages of that size.
func (f *fixture) list(t failer, q session.Query, size int) (all []session.Snapshot) {
	t.Helper()
	for q.Limit = size; ; {
		page, err := f.List(t.Context(), q)
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		if len(page.Sessions) > size || page.Unreadable > 0 {
			t.Fatalf("a page of %d, %d unreadable; the limit is %d", len(page.Sessions), page.Unreadable, size)
		}
		all = append(all, page.Sessions...)
		if page.Next.IsZero() {
			return all
		}
		if !q.Before.IsZero() && page.Next.Compare(q.Before) >= 0 {
			t.Fatalf("the cursor does not advance: %s after %s", page.Next, q.Before)
		}
		q.Before = page.Next
	}
}

// wantUser fails unless the user has these sessions, newest first.
func (f *fixture) wantUser(t failer, user string, ended bool, want ...session.Snapshot) {
	t.Helper()
	got := f.list(t, session.Query{UserID: user, Ended: ended}, plenty)
	equal(t, "sessions of "+user, got, want)
}

// wantMissing fails unless there is no such session.
func (f *fixture) wantMissing(t failer, ref session.Ref) {
	t.Helper()
	if _, err := f.Load(t.Context(), ref); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("load of %+v: %v", ref, err)
	}
}

// facts returns all facts that follow a number.
func (f *fixture) facts(t failer, after uint64) []fact.Fact {
	t.Helper()
	facts, _, err := f.Facts(t.Context(), after, plenty)
	if err != nil {
		t.Fatalf("facts: %v", err)
	}
	return facts
}

// lastFact is the number of the newest fact.
func (f *fixture) lastFact(t failer) uint64 {
	t.Helper()
	head, err := f.Head(t.Context())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return head
}

// revocations returns all that is kept of the revocations, and the number of the oldest.
func (f *fixture) revocations(t failer) (entries []revocation.Entry, first uint64) {
	t.Helper()
	entries, first, err := f.Revocations(t.Context(), 0, plenty)
	if err != nil {
		t.Fatalf("revocations: %v", err)
	}
	return entries, first
}

func idOf(s session.Snapshot) sid.ID { return s.Session.ID }
