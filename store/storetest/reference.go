package storetest

import (
	"cmp"
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
	// choose gives the latest date of a token, between what is on record and what a store
	// could have noted besides.
	choose func(least, most time.Time) time.Time

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
		choose:   func(_, most time.Time) time.Time { return most },
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
	evicted, err := r.makeRoom(c)
	if err != nil {
		return session.Created{}, err
	}
	snap := session.Snapshot{Session: c.Session, State: c.State}
	snap.Session.ID = r.draw(r.newest, c.Session.CreatedAt)
	r.newest = idOf(snap)
	r.note(c.Session.CreatedAt, c.State.LastSeenAt, c.State.RedeemedAt)
	r.sessions[idOf(snap)] = snap
	r.journal.add(fact.Fact{Kind: fact.Created, At: c.Session.CreatedAt, SID: idOf(snap), By: c.By})
	return session.Created{Session: snap, Evicted: evicted}, nil
}

// makeRoom ends as many sessions of the user as the limit asks for.
func (r *reference) makeRoom(c session.CreateRequest) (evicted []session.Snapshot, err error) {
	if c.Limit.Max == 0 {
		return nil, nil
	}
	live := r.live(c.Session.User.ID, c.Limit.Judge)
	excess := len(live) + 1 - c.Limit.Max
	switch {
	case excess <= 0:
		return nil, nil
	case c.Limit.Policy == session.LimitRefuse:
		return nil, session.ErrLimit
	case c.Limit.Policy == session.LimitEvictIdle:
		slices.SortStableFunc(live, func(a, b session.Snapshot) int {
			return a.State.LastSeenAt.Compare(b.State.LastSeenAt)
		})
	}
	for _, snap := range live[:excess] {
		snap.Mark = revocation.Mark{}
		r.end(snap, session.Ending{
			End: session.End{At: c.Session.CreatedAt, Reason: session.ReasonLimit}, Notice: c.Limit.Notice,
		})
		evicted = append(evicted, r.sessions[idOf(snap)])
	}
	return evicted, nil
}

// end ends a session.
func (r *reference) end(snap session.Snapshot, e session.Ending) {
	snap.End, snap.Mark = e.End, revocation.Mark{}
	r.sessions[idOf(snap)] = snap
	r.journal.revoke(fact.Fact{
		Kind: fact.Ended, At: e.At, SID: idOf(snap), What: string(e.Reason), By: e.By, Until: r.until(e.Notice),
	})
}

// note takes in times that may have dated a token.
func (r *reference) note(times ...time.Time) {
	for _, t := range times {
		if t.After(r.latest) {
			r.latest = t
		}
	}
}

// until is when verifiers may forget a revocation; zero if they need not know of it.
func (r *reference) until(n session.Notice) time.Time {
	if n == (session.Notice{}) {
		return time.Time{}
	}
	r.note(n.Issued)
	least := n.Issued
	for _, s := range r.sessions {
		for _, t := range []time.Time{s.Session.CreatedAt, s.State.LastSeenAt, s.State.RedeemedAt} {
			if t.After(least) {
				least = t
			}
		}
	}
	return r.choose(least, r.latest).Add(n.Life)
}

// Change implements [session.Store].
func (r *reference) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Snapshot{}, err
	}
	defer leave()
	snap, err := r.find(at.Ref)
	if err != nil {
		return session.Snapshot{}, err
	}
	holder, err := r.holder(at.Holder)
	if err != nil {
		return session.Snapshot{}, err
	}
	change, err := decide(snap, holder)
	if err != nil {
		return session.Snapshot{}, err
	}
	r.apply(r.sessions[at.ID], change)
	return r.find(at.Ref)
}

func (r *reference) holder(id sid.ID) (session.Snapshot, error) {
	if id.IsZero() {
		return session.Snapshot{}, nil
	}
	return r.find(session.Ref{ID: id})
}

func (r *reference) apply(snap session.Snapshot, c session.Change) {
	if c.Session != nil {
		old := snap.Session
		snap.Session = *c.Session
		snap.Session.ID, snap.Session.User = old.ID, old.User
		snap.Session.CreatedAt, snap.Session.ExpiresAt = old.CreatedAt, old.ExpiresAt
	}
	if live := snap.End.IsZero(); live && c.State != nil {
		snap.State = *c.State
		r.note(snap.State.LastSeenAt, snap.State.RedeemedAt)
	}
	ended := !snap.End.IsZero()
	r.sessions[idOf(snap)] = snap
	for _, f := range c.Facts {
		r.journal.add(f)
	}
	if c.End != nil && !ended {
		r.end(snap, *c.End)
	}
}

// Mark implements [session.Store].
func (r *reference) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Marked{}, err
	}
	defer leave()
	holder, err := r.holder(m.Holder)
	if err != nil {
		return session.Marked{}, err
	}
	if m.Allow != nil {
		if err := m.Allow(holder); err != nil {
			return session.Marked{}, err
		}
	}
	marked := session.Marked{Ended: r.count(m)}
	bound := r.draw(r.newest, m.At)
	if m.SpareHolder {
		bound = m.Holder.Before()
		r.endNewer(m)
	} else {
		r.newest = bound
	}
	marked.Mark = r.raise(m, bound)
	return marked, nil
}

// count counts the sessions that a mark ends, which it does for users only.
func (r *reference) count(m session.MarkRequest) (n int) {
	if m.Scope.Kind != revocation.KindUser {
		return 0
	}
	for _, snap := range r.live(m.Scope.Name, m.Judge) {
		if !m.SpareHolder || idOf(snap) != m.Holder {
			n++
		}
	}
	return n
}

// endNewer ends the user's sessions that are newer than the holder's.
func (r *reference) endNewer(m session.MarkRequest) {
	for _, snap := range r.live(m.Scope.Name, m.Judge) {
		if idOf(snap).Compare(m.Holder) > 0 {
			r.end(snap, session.Ending{End: session.End{At: m.At, Reason: m.Reason}, By: m.By, Notice: m.Notice})
		}
	}
}

// raise sets the mark of a scope, unless a higher one is set.
func (r *reference) raise(m session.MarkRequest, bound sid.ID) revocation.Mark {
	mark := revocation.Mark{Scope: m.Scope, SID: bound, At: m.At, Until: r.until(m.Notice), Reason: string(m.Reason)}
	r.journal.revoke(fact.Fact{
		Kind: fact.Marked, At: m.At, SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By, Until: mark.Until,
	})
	if old, ok := r.marks[m.Scope]; ok {
		until := mark.Until
		if old.Until.After(until) {
			until = old.Until
		}
		if old.Covers(bound) {
			mark = old
		}
		mark.Until = until
	}
	r.marks[m.Scope] = mark
	return mark
}

// sweepBatch is how many sessions one sweep records the end of.
const sweepBatch = 50

// Sweep implements [session.Store].
func (r *reference) Sweep(ctx context.Context, s session.SweepRequest) (swept session.Swept, err error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Swept{}, err
	}
	defer leave()
	r.note(s.Issued)
	for _, id := range r.order() {
		if swept.Ended+swept.Forgotten == sweepBatch {
			swept.More = true
			return swept, nil
		}
		r.sweepOne(r.marked(r.sessions[id]), s, &swept)
	}
	for scope, mark := range r.marks {
		if !mark.Until.After(s.Now) {
			delete(r.marks, scope)
		}
	}
	r.journal.trim(s.Now)
	return swept, nil
}

func (r *reference) sweepOne(snap session.Snapshot, s session.SweepRequest, swept *session.Swept) {
	verdict := s.Judge(snap)
	switch {
	case verdict.End.IsZero():
	case snap.End.IsZero():
		r.end(snap, session.Ending{End: verdict.End})
		swept.Ended++
	case !verdict.Again.After(s.Now):
		delete(r.sessions, idOf(snap))
		swept.Forgotten++
	}
	if !verdict.End.IsZero() && !verdict.Again.After(s.Now) && snap.End.IsZero() {
		swept.More = true // it can be forgotten already
	}
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
		r.journal.add(fact.Fact{Kind: fact.KeyChanged, At: c.At, KeyID: c.KeyID, What: string(c.To)})
	}
	return nil
}

// Record implements [fact.Recorder].
func (r *reference) Record(ctx context.Context, f fact.Fact) error {
	leave, err := r.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if f.Kind != fact.Administered {
		return fmt.Errorf("a fact of kind %s is written with what it records", f.Kind)
	}
	r.journal.add(f)
	return nil
}

// Head implements [fact.Log].
func (r *reference) Head(ctx context.Context) (uint64, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	return r.journal.first + uint64(len(r.journal.facts)) - 1, nil
}

// Facts implements [fact.Log].
func (r *reference) Facts(ctx context.Context, after uint64, limit int) ([]fact.Fact, uint64, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer leave()
	facts, first := r.journal.read(after, limit)
	return facts, first, nil
}

// Revocations implements [fact.Log].
func (r *reference) Revocations(ctx context.Context, after uint64, limit int) ([]revocation.Entry, uint64, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer leave()
	entries, first := r.journal.readRevocations(after, limit)
	return entries, first, nil
}

// Watch implements [fact.Log].
func (r *reference) Watch(ctx context.Context) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.journal.watch(ctx)
}

// journal is the facts of a [reference].
type journal struct {
	facts           []fact.Fact
	first           uint64 // of the facts that are kept
	firstRevocation uint64
	revocation      uint64 // the newest
	watchers        []watcher
}

type watcher struct {
	ctx context.Context //nolint:containedctx // it is how long the watcher stays
	c   chan struct{}
}

// add appends a fact.
func (j *journal) add(f fact.Fact) {
	f.Number = j.first + uint64(len(j.facts))
	j.facts = append(j.facts, f)
	j.watchers = slices.DeleteFunc(j.watchers, func(w watcher) bool { return w.ctx.Err() != nil })
	for _, w := range j.watchers {
		select {
		case w.c <- struct{}{}:
		default: // there is a value that nobody has received yet
		}
	}
}

// revoke appends a fact that verifiers must know of if it has an Until.
func (j *journal) revoke(f fact.Fact) {
	if !f.Until.IsZero() {
		j.revocation++
		f.Revocation = j.revocation
	}
	j.add(f)
}

// trim removes the oldest facts that nobody needs any more.
func (j *journal) trim(now time.Time) {
	n := 0
	for n < len(j.facts) && !j.facts[n].Until.After(now) && !j.facts[n].At.Add(Retention).After(now) {
		n++
	}
	j.facts, j.first = j.facts[n:], j.first+uint64(n)
	j.firstRevocation = j.revocation + 1
	for _, f := range j.facts {
		if f.Revocation > 0 && f.Until.After(now) {
			j.firstRevocation = f.Revocation
			return
		}
	}
}

func (j *journal) read(after uint64, limit int) (facts []fact.Fact, first uint64) {
	for _, f := range j.facts {
		if f.Number > after && len(facts) < limit {
			facts = append(facts, f)
		}
	}
	return facts, j.first
}

func (j *journal) readRevocations(after uint64, limit int) (entries []revocation.Entry, first uint64) {
	for _, f := range j.facts {
		e, ok := f.Entry()
		if ok && e.Seq > after && e.Seq >= j.firstRevocation && len(entries) < limit {
			entries = append(entries, e)
		}
	}
	return entries, j.firstRevocation
}

func (j *journal) watch(ctx context.Context) <-chan struct{} {
	w := watcher{ctx: ctx, c: make(chan struct{}, 1)}
	j.watchers = append(j.watchers, w)
	return w.c
}

// sortFacts orders facts of one operation, which a store may write in any order.
func sortFacts(facts []fact.Fact) {
	slices.SortFunc(facts, func(a, b fact.Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.SID.Compare(b.SID), cmp.Compare(a.What, b.What))
	})
}
