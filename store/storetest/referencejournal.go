package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
)

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
