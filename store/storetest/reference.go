package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// reference is a store in its simplest form: maps under one lock. It shows what the
// interfaces ask for, and back ends are compared with it. It passes the suite itself.
type reference struct {
	// draw gives an identifier that is greater than after.
	draw func(after sid.ID, at time.Time) sid.ID
	// choose gives the latest date of a token that a revocation concerns, between what its
	// sessions have on record and what a store could have noted besides.
	choose func(f fact.Fact, least, most time.Time) time.Time

	mu       sync.Mutex
	closed   bool
	sessions map[sid.ID]session.Snapshot // without their marks
	marks    map[revocation.Scope]revocation.Mark
	journal  journal
	keys     keys.Stored
	newest   sid.ID    // of all sessions and marks
	latest   time.Time // of all times that may have dated a token
}

func newReference() *reference {
	return &reference{
		draw:     sid.Next,
		choose:   func(_ fact.Fact, _, most time.Time) time.Time { return most },
		sessions: map[sid.ID]session.Snapshot{}, marks: map[revocation.Scope]revocation.Mark{},
		journal: journal{first: 1, firstRevocation: 1},
	}
}

// enter begins an operation. Every one is alone.
func (r *reference) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, fmt.Errorf("the store is closed: %w", session.ErrUnavailable)
	}
	return r.mu.Unlock, nil
}

// Load implements [session.Store].
func (r *reference) Load(ctx context.Context, ref session.Ref) (session.Snapshot, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Snapshot{}, err
	}
	defer leave()
	return r.find(ref)
}

func (r *reference) find(ref session.Ref) (session.Snapshot, error) {
	snap, ok := r.sessions[ref.ID]
	if !ok || ref.UserID != "" && ref.UserID != snap.Session.User.ID {
		return session.Snapshot{}, session.ErrNotFound
	}
	return r.marked(snap), nil
}

// marked is the session with the earliest mark that covers it.
func (r *reference) marked(snap session.Snapshot) session.Snapshot {
	if !snap.End.IsZero() {
		return snap
	}
	for _, scope := range revocation.ScopesOf(snap.Session.User.ID, snap.Session.ClientID) {
		mark, ok := r.marks[scope]
		if ok && mark.Covers(idOf(snap)) && (!covered(snap) || mark.At.Before(snap.Mark.At)) {
			snap.Mark = mark
		}
	}
	return snap
}

// List implements [session.Store].
func (r *reference) List(ctx context.Context, q session.Query) (page session.Page, err error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Page{}, err
	}
	defer leave()
	for _, id := range slices.Backward(r.order()) {
		snap := r.sessions[id]
		if !matches(q, snap) {
			continue
		}
		if len(page.Sessions) == q.Limit {
			page.Next = idOf(page.Sessions[q.Limit-1])
			break
		}
		page.Sessions = append(page.Sessions, r.marked(snap))
	}
	return page, nil
}

func matches(q session.Query, s session.Snapshot) bool {
	return (q.UserID == "" || q.UserID == s.Session.User.ID) &&
		(q.ClientID == "" || q.ClientID == s.Session.ClientID) &&
		q.Ended == !s.End.IsZero() &&
		(q.Before.IsZero() || idOf(s).Compare(q.Before) < 0)
}

// order lists the sessions from the oldest to the newest.
func (r *reference) order() []sid.ID {
	return slices.SortedFunc(maps.Keys(r.sessions), sid.ID.Compare)
}

// live lists the live sessions of a user from the oldest to the newest.
func (r *reference) live(user string, judge session.Judge) (live []session.Snapshot) {
	for _, id := range r.order() {
		snap := r.marked(r.sessions[id])
		if snap.Session.User.ID == user && judge(snap).End.IsZero() {
			live = append(live, snap)
		}
	}
	return live
}

// Create implements [session.Store].
func (r *reference) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Created{}, err
	}
	defer leave()
	created, err := r.admit(session.Snapshot{Session: c.Session}, c.Admission, c.By)
	if err != nil {
		return session.Created{}, err
	}
	snap := session.Snapshot{Session: c.Session, State: c.State}
	snap.Session.ID = r.draw(r.newest, c.Session.CreatedAt)
	r.newest = idOf(snap)
	r.note(dates(snap)...)
	r.sessions[idOf(snap)] = snap
	r.journal.add(fact.Fact{Kind: fact.Created, At: c.Session.CreatedAt, SID: idOf(snap), By: c.By})
	created.Session = snap
	return created, nil
}

// Live implements [store.Status].
func (r *reference) Live() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, snap := range r.sessions {
		if snap.End.IsZero() {
			n++
		}
	}
	return n
}

// Healthy implements [store.Status].
func (r *reference) Healthy() error {
	leave, err := r.enter(context.Background())
	if err == nil {
		leave()
	}
	return err
}

// Close implements [store.Backend].
func (r *reference) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

// LoadKeys implements [keys.Store].
func (r *reference) LoadKeys(ctx context.Context) (keys.Stored, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return keys.Stored{}, err
	}
	defer leave()
	return keys.Stored{Version: r.keys.Version, Document: slices.Clone(r.keys.Document)}, nil
}

// SwapKeys implements [keys.Store].
func (r *reference) SwapKeys(ctx context.Context, from uint64, document []byte, changes []keys.Change) error {
	leave, err := r.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if r.keys.Version != from {
		return keys.ErrConflict
	}
	r.keys = keys.Stored{Version: from + 1, Document: slices.Clone(document)}
	for _, c := range changes {
		r.journal.add(fact.Fact{Kind: fact.KeyChanged, At: c.At, KeyID: c.KeyID, What: c.Step(), By: c.By})
	}
	return nil
}
