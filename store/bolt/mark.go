package bolt

import (
	"context"
	"errors"
	"fmt"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// maxEnded bounds the sessions that one transaction ends one by one.
const maxEnded = 100

var (
	errScope     = errors.New("bolt: a mark is over a user, a client or everything")
	errScopeName = errors.New("bolt: the name of a scope has at most 4096 bytes")
	errSpare     = errors.New("bolt: only a mark over the user of its holder can spare it")
)

// Mark implements [session.Store]. The live sessions of a user are counted before the mark
// is set, outside of the transaction: others would wait for it.
func (db *DB) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if err := checkMark(&m); err != nil {
		return session.Marked{}, err
	}
	marked, newer, err := db.countUnderMark(ctx, &m)
	if err != nil {
		return session.Marked{}, err
	}
	mark, ended := &revocation.Mark{}, new(int)
	first := newer[:min(len(newer), maxEnded)]
	err = db.update(ctx, func(t *tx) error {
		if err := t.allow(&m); err != nil {
			return err
		}
		t.later(func() (err error) {
			*mark, err = t.raise(&m)
			return err
		})
		return t.endAll(first, &m, ended)
	})
	if err != nil {
		return session.Marked{}, err
	}
	marked.Mark = *mark
	marked.Ended += *ended
	for newer = newer[len(first):]; len(newer) > 0; newer = newer[min(len(newer), maxEnded):] {
		n, err := db.endBatch(ctx, newer[:min(len(newer), maxEnded)], &m)
		if err != nil {
			return session.Marked{}, err
		}
		marked.Ended += n
	}
	return marked, nil
}

func checkMark(m *session.MarkRequest) error {
	switch {
	case !isMark(m.Scope.Kind):
		return errScope
	case len(m.Scope.Name) > maxName:
		return errScopeName
	case len(m.Reason) > maxWord || len(m.By) > maxWord:
		return errLongFact
	case m.SpareHolder && (m.Holder.IsZero() || m.Scope.Kind != revocation.KindUser):
		return errSpare
	case m.At.IsZero():
		return errEndTime
	}
	return nil
}

// countUnderMark counts the live sessions of a user that a mark is going to cover. newer are
// those that are newer than a holder who is to be spared.
func (db *DB) countUnderMark(
	ctx context.Context, m *session.MarkRequest,
) (marked session.Marked, newer []sid.ID, err error) {
	if m.Scope.Kind != revocation.KindUser {
		return marked, nil, nil
	}
	err = db.view(ctx, func(v *view) error {
		w := v.walkUser(byUser, m.Scope.Name, sid.ID{})
		for reads := 1; ; reads++ {
			id, ok := w.next()
			if !ok {
				return nil
			}
			if reads%readsPerCheck == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			live, err := v.isLive(id, m.Judge)
			switch {
			case unreadable(err):
				marked.Unreadable++
			case err != nil:
				return err
			case !live || m.SpareHolder && id == m.Holder:
			case m.SpareHolder && id.Compare(m.Holder) > 0:
				newer = append(newer, id)
			default:
				marked.Ended++
			}
		}
	})
	return marked, newer, err
}

func (v *view) isLive(id sid.ID, verdict session.Judge) (bool, error) {
	snap, err := v.load(session.Ref{ID: id})
	if err != nil {
		return false, err
	}
	ruling, err := judge(verdict, snap)
	return ruling.End.IsZero(), err
}

// allow asks whether the holder may set the mark.
func (t *tx) allow(m *session.MarkRequest) error {
	if m.Holder.IsZero() {
		return nil
	}
	holder, err := t.load(session.Ref{ID: m.Holder})
	if err != nil || m.Allow == nil {
		return err
	}
	_, err = guard(func() (struct{}, error) { return struct{}{}, m.Allow(holder) })
	return err
}

// raise sets a mark, and returns the one that its scope has then. A mark only ever rises:
// one at or below its scope's former mark keeps that in force for as long as either asks.
func (t *tx) raise(m *session.MarkRequest) (revocation.Mark, error) {
	bound := t.counters.last
	switch {
	case m.SpareHolder:
		bound = m.Holder.Before()
	case bound.IsZero(): // nothing is covered, and yet verifiers want an identifier
		bound = sid.Next(bound, m.At)
		t.counters.last = bound
	}
	f := t.addFact(fact.Fact{
		Kind: fact.Marked, At: m.At, SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By,
	}, m.Notice)
	mark := revocation.Mark{Scope: m.Scope, SID: bound, At: fromMillis(millis(m.At)), Until: f.Until, Reason: string(m.Reason)}
	if mark.Until.IsZero() {
		mark.Until = mark.At
	}
	// A damaged one is replaced: what it covered, this one does. (A holder who is to be
	// spared cannot be read under a damaged mark, so that is refused before.)
	if old, ok, err := t.mark(m.Scope); ok && err == nil && old.Covers(mark.SID) {
		if !mark.Until.After(old.Until) {
			return old, nil
		}
		old.Until = mark.Until
		mark = old
	}
	return mark, t.putMark(&mark)
}

// endBatch ends the next few sessions of a mark one by one.
func (db *DB) endBatch(ctx context.Context, ids []sid.ID, m *session.MarkRequest) (int, error) {
	ended := new(int)
	err := db.update(ctx, func(t *tx) error {
		if err := t.allow(m); err != nil {
			return err
		}
		return t.endAll(ids, m, ended)
	})
	if err != nil {
		return 0, fmt.Errorf("ending the user's newer sessions: %w", err)
	}
	return *ended, nil
}

// endAll ends those of some sessions that are live.
func (t *tx) endAll(ids []sid.ID, m *session.MarkRequest, ended *int) error {
	for _, id := range ids {
		snap, err := t.load(session.Ref{ID: id})
		if unreadable(err) {
			continue // purged or damaged since it was counted
		}
		if err != nil {
			return err
		}
		v, err := judge(m.Judge, snap)
		if err != nil {
			return err
		}
		if v.End.IsZero() {
			end := session.End{At: m.At, Reason: m.Reason}
			t.endLater(&snap, session.Ending{End: end, By: m.By, Notice: m.Notice}, ended)
		}
	}
	return nil
}
