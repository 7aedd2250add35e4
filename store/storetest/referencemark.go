package storetest

import (
	"context"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// note takes in times that may have dated a token.
func (r *reference) note(times ...time.Time) {
	for _, t := range times {
		if t.After(r.latest) {
			r.latest = t
		}
	}
}

// until is when verifiers may forget the revocation that a fact is; zero if they need not know
// of it. The revocation concerns the sessions for which covers is true.
func (r *reference) until(f fact.Fact, n session.Notice, covers func(session.Snapshot) bool) time.Time {
	if n == (session.Notice{}) {
		return time.Time{}
	}
	r.note(n.Issued)
	least := n.Issued
	for _, s := range r.sessions {
		if !covers(s) {
			continue
		}
		for _, t := range dates(s) {
			if t.After(least) {
				least = t
			}
		}
	}
	return r.choose(f, least, r.latest.Add(reserved)).Add(n.Life)
}

// dates are the times with which tokens of a session may be dated.
func dates(s session.Snapshot) []time.Time {
	return []time.Time{s.Session.CreatedAt, s.Session.AuthTime, s.State.LastSeenAt, s.State.RedeemedAt}
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
	f := fact.Fact{Kind: fact.Marked, At: m.At, SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By}
	f.Until = r.until(f, m.Notice, func(s session.Snapshot) bool {
		return s.End.IsZero() && inScope(m.Scope, s) && idOf(s).Compare(bound) <= 0
	})
	r.journal.revoke(f)
	mark := revocation.Mark{Scope: m.Scope, SID: bound, At: m.At, Until: f.Until, Reason: string(m.Reason)}
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
