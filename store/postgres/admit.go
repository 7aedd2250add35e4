package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// endedSlack is how many sessions an admission reads that do not count: they have ended by the
	// clock or under a mark of their client, and a sweep has not recorded it yet.
	endedSlack = 1024
	// maxAdmissions is how often an admission begins anew because what was to end has changed meanwhile. It keeps
	// the locks that it has.
	maxAdmissions = 16
)

var errContended = fmt.Errorf("%w: postgres: the sessions that a sign-in ends are changed all the time", session.ErrUnavailable)

// admitted is a session that is about to count as one of its user's.
type admitted struct {
	session.Admission

	id     sid.ID // zero if it is new
	userID string
	by     string // the client that asks for it
}

// victims are the sessions that end because of an admission.
type victims struct {
	replaced *stored // nil: none
	eviction session.Eviction
	versions map[sid.ID]int64 // when they were read
}

// admit is what a session goes through before it counts as one of its user's, in a transaction that
// has locked the user's row. It ends the session that another one replaces, and as many of the user's as the limit asks
// for, so that one more fits. It returns the facts to write. What it reads is bounded, however many sessions the user has.
func (db *DB) admit(ctx context.Context, tx pgx.Tx, s session.Snapshot, a session.Admission, by string) (session.Eviction, []pendingFact, error) {
	a.Limit.Notice = db.clock.noticed(a.Limit.Notice)
	newcomer := admitted{Admission: a, id: s.Session.ID, userID: s.Session.User.ID, by: by}
	for range maxAdmissions {
		v, err := newcomer.choose(ctx, tx)
		if err != nil {
			return session.Eviction{}, nil, err
		}
		if same, err := v.lock(ctx, tx); err != nil {
			return session.Eviction{}, nil, err
		} else if same {
			return newcomer.end(ctx, tx, v)
		}
	}
	return session.Eviction{}, nil, errContended
}

// choose finds out who has to end. Nobody else changes which sessions of the user count, but their own changes go on.
func (a *admitted) choose(ctx context.Context, tx pgx.Tx) (v victims, err error) {
	v.versions = map[sid.ID]int64{}
	if !a.Replaces.IsZero() && a.Replaces != a.id {
		found, err := selectAll(ctx, tx, []sid.ID{a.Replaces})
		if err != nil {
			return v, err
		}
		s, ok := found[a.Replaces]
		if ok && s.Session.User.ID == a.userID && isLive(s.Snapshot, a.Limit.Judge) {
			v.replaced = s
			v.versions[a.Replaces] = s.version
		}
	}
	if a.Limit.Max <= 0 {
		return v, nil
	}
	beside, err := a.liveBeside(ctx, tx)
	if err != nil {
		return v, err
	}
	live := make([]session.Snapshot, 0, len(beside))
	versions := make(map[sid.ID]int64, len(beside))
	for i := range beside {
		live = append(live, beside[i].Snapshot)
		versions[beside[i].Session.ID] = beside[i].version
	}
	v.eviction, err = a.Limit.Evict(live, a.id)
	for i := range v.eviction.Each {
		id := v.eviction.Each[i].Session.ID
		v.versions[id] = versions[id]
	}
	return v, err
}

// liveBeside reads the live sessions of the user that count beside the one that is admitted, newest
// first, as far as [session.Limit.Evict] needs them.
func (a *admitted) liveBeside(ctx context.Context, tx pgx.Tx) (live []stored, err error) {
	enough := a.Limit.Max + session.MaxEvicted
	for reads, before := 0, lastID(); reads < a.Limit.Max+endedSlack; {
		page, err := unended(ctx, tx, a.userID, before, enough+2)
		if err != nil {
			return nil, err
		}
		for i := range page {
			s := &page[i]
			before = s.Session.ID
			if before == a.id || before == a.Replaces || s.Session.Unclaimed || !isLive(s.Snapshot, a.Limit.Judge) {
				continue
			}
			if live = append(live, *s); len(live) == enough {
				return live, nil
			}
		}
		if len(page) < enough+2 {
			break
		}
		reads += len(page)
	}
	return live, nil
}

// lock locks the victims, and reports whether they are as they were when they were chosen.
func (v *victims) lock(ctx context.Context, tx pgx.Tx) (same bool, err error) {
	if len(v.versions) == 0 {
		return true, nil
	}
	ids := make([]sid.ID, 0, len(v.versions))
	for id := range v.versions {
		ids = append(ids, id)
	}
	now, err := lockVersions(ctx, tx, ids)
	if err != nil {
		return false, err
	}
	for id, version := range v.versions {
		if now[id] != version {
			return false, nil
		}
	}
	return len(now) == len(v.versions), nil
}

// end ends the victims, which are locked.
func (a *admitted) end(ctx context.Context, tx pgx.Tx, v victims) (session.Eviction, []pendingFact, error) {
	var (
		ends  endings
		batch pgx.Batch
	)
	if v.replaced != nil {
		ends.add(&v.replaced.Snapshot, session.Ending{
			End: session.End{At: a.At, Reason: session.ReasonReplaced}, By: a.by, Notice: a.Limit.Notice,
		})
	}
	for i := range v.eviction.Each {
		s := &v.eviction.Each[i]
		end := session.End{At: milli(a.At), Reason: session.ReasonLimit}
		ends.add(s, session.Ending{End: end, Notice: a.Limit.Notice})
		s.End, s.Mark = end, revocation.Mark{}
	}
	ends.queue(&batch)
	if !v.eviction.UpTo.IsZero() {
		m := session.MarkRequest{
			Scope: revocation.UserScope(a.userID), At: a.At, Reason: session.ReasonLimit, Notice: a.Limit.Notice,
		}
		f, err := markFact(ctx, tx, &m, v.eviction.UpTo)
		if err != nil {
			return session.Eviction{}, nil, err
		}
		queueMark(&batch, &f, newVersion(), nil)
		ends.facts = append(ends.facts, f)
	}
	if batch.Len() == 0 {
		return v.eviction, ends.facts, nil
	}
	return v.eviction, ends.facts, tx.SendBatch(ctx, &batch).Close()
}
