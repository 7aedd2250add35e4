package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// maxEnded bounds the sessions that one transaction ends one by one.
	maxEnded = 100
	// maxCounted bounds the sessions that a mark counts in its own transaction, for which
	// everyone else's writes wait. Those of a user with more are counted just before: then
	// some that end or begin meanwhile are counted wrongly.
	maxCounted = 256
)

var (
	errScope     = errors.New("bolt: a mark is over a user, a client or everything")
	errScopeName = errors.New("bolt: the name of a scope has at most 4096 bytes")
	errSpare     = errors.New("bolt: only a mark over the user of its holder can spare it")
	errTooMany   = errors.New("bolt: too many sessions to count in one transaction")
)

// Mark implements [session.Store].
func (db *DB) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if err := checkMark(&m); err != nil {
		return session.Marked{}, err
	}
	marked, rest, err := db.setMark(ctx, &m, nil)
	if errors.Is(err, errTooMany) {
		before := &census{}
		err = db.view(ctx, func(v *view) (err error) {
			*before, err = v.count(ctx, &m, math.MaxInt)
			return err
		})
		if err == nil {
			marked, rest, err = db.setMark(ctx, &m, before)
		}
	}
	for ; err == nil && len(rest) > 0; rest = rest[min(len(rest), maxEnded):] {
		var n int
		n, err = db.endBatch(ctx, rest[:min(len(rest), maxEnded)], &m)
		marked.Ended += n
	}
	if err != nil {
		return session.Marked{}, err
	}
	return marked, nil
}

// setMark sets a mark, and ends the first of the sessions that it does not cover. before is
// what was counted outside of the transaction, or nil. rest is what is to be ended yet.
func (db *DB) setMark(
	ctx context.Context, m *session.MarkRequest, before *census,
) (session.Marked, []sid.ID, error) {
	var (
		found census
		mark  revocation.Mark
		ended int
	)
	err := db.update(ctx, func(t *tx) (err error) {
		if err := t.allow(m); err != nil {
			return err
		}
		if before != nil {
			found = *before
		} else if found, err = t.count(ctx, m, maxCounted); err != nil {
			return err
		}
		t.later(func() (err error) {
			mark, err = t.raise(m, t.bound(m))
			return err
		})
		return t.endAll(found.newer[:min(len(found.newer), maxEnded)], m, &ended)
	})
	if err != nil {
		return session.Marked{}, nil, err
	}
	rest := found.newer[min(len(found.newer), maxEnded):]
	return session.Marked{Mark: mark, Ended: found.ended + ended, Unreadable: found.unreadable}, rest, nil
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

// bound is the newest identifier that a mark is to cover.
func (t *tx) bound(m *session.MarkRequest) sid.ID {
	if m.SpareHolder {
		return m.Holder.Before()
	}
	if t.counters.last.IsZero() { // there is no session to cover, but verifiers expect an identifier
		t.counters.last = sid.Next(sid.ID{}, m.At)
	}
	return t.counters.last
}

// raise sets the mark of a scope up to bound, and returns the mark that the scope has
// afterwards. The bound of a mark never gets smaller: if the scope has a mark with the same or a
// greater bound, that one stays, until the later of the two times.
func (t *tx) raise(m *session.MarkRequest, bound sid.ID) (revocation.Mark, error) {
	f := t.addFact(fact.Fact{
		Kind: fact.Marked, At: m.At, SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By,
	}, m.Notice)
	mark := markRow{Mark: revocation.Mark{
		Scope: m.Scope, SID: bound, At: fromMillis(millis(m.At)), Until: f.Until, Reason: string(m.Reason),
	}}
	if mark.Until.IsZero() {
		mark.Until = mark.At
	}
	// A damaged mark is replaced: the new one covers what it covered. (With SpareHolder it
	// might not, but the holder cannot be read under a damaged mark, so allow has refused that.)
	if old, ok, err := t.mark(m.Scope); ok && err == nil && old.Covers(mark.SID) {
		if !mark.Until.After(old.Until) {
			return old.Mark, nil
		}
		old.Until = mark.Until
		mark = old
	}
	return mark.Mark, t.putMark(&mark)
}

// endBatch ends the next few sessions of a mark one by one. The mark is set by then, so that a
// context which ends before the batch is run leaves the outcome unknown, too.
func (db *DB) endBatch(ctx context.Context, ids []sid.ID, m *session.MarkRequest) (int, error) {
	ended := new(int)
	err := db.update(ctx, func(t *tx) error {
		if err := t.allow(m); err != nil {
			return err
		}
		return t.endAll(ids, m, ended)
	})
	if err != nil && ctx.Err() != nil && !errors.Is(err, session.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	if err != nil {
		return 0, fmt.Errorf("ending the user's newer sessions: %w", err)
	}
	return *ended, nil
}

// endAll ends those of some sessions that are live, and those that cannot be read: their
// tokens may be valid still. It counts the former.
func (t *tx) endAll(ids []sid.ID, m *session.MarkRequest, ended *int) error {
	ending := session.Ending{End: session.End{At: m.At, Reason: m.Reason}, By: m.By, Notice: m.Notice}
	for _, id := range ids {
		snap, err := t.load(session.Ref{ID: id})
		if unreadable(err) {
			snap.Session.ID, snap.Session.User.ID = id, m.Scope.Name
			t.endLater(&snap, ending, nil)
			continue
		}
		if err != nil {
			return err
		}
		v, err := judge(m.Judge, snap)
		if err != nil {
			return err
		}
		if v.End.IsZero() {
			t.endLater(&snap, ending, ended)
		}
	}
	return nil
}
