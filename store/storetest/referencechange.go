package storetest

import (
	"context"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// end ends a session.
func (r *reference) end(snap session.Snapshot, e session.Ending) {
	snap.End, snap.Mark = e.End, revocation.Mark{}
	r.sessions[idOf(snap)] = snap
	f := fact.Fact{Kind: fact.Ended, At: e.At, SID: idOf(snap), What: string(e.Reason), By: e.By}
	f.Until = r.until(f, e.Notice, func(s session.Snapshot) bool { return idOf(s) == f.SID })
	r.journal.revoke(f)
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
	if change.Admission != nil && snap.End.IsZero() {
		if _, err := r.admit(snap, *change.Admission, snap.Session.ClientID); err != nil {
			return session.Snapshot{}, err
		}
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
		r.note(snap.Session.AuthTime)
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
