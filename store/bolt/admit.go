package bolt

import (
	"errors"
	"log/slog"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// endedSlack is how many sessions an admission reads that do not count: they have ended by the
// clock and a sweep has not recorded it yet, or they cannot be read.
const endedSlack = 1024

// admitted is a session that is about to count as one of its user's.
type admitted struct {
	*session.Admission

	id     sid.ID // zero if it is new
	userID string
	by     string // the client that asks for it
}

// admit ends the session that another one replaces, and as many of the user's as the limit asks
// for, so that one more fits. What it reads is bounded, however many sessions the user has.
func (t *tx) admit(a admitted) (session.Eviction, error) {
	if err := t.replace(a); err != nil {
		return session.Eviction{}, err
	}
	if a.Limit.Max <= 0 {
		return session.Eviction{}, nil
	}
	live, err := t.liveBeside(a)
	if err != nil {
		return session.Eviction{}, err
	}
	eviction, err := a.Limit.Evict(live, a.id)
	if err != nil {
		return session.Eviction{}, err
	}
	for i := range eviction.Each {
		t.endLater(&eviction.Each[i], session.Ending{
			End: session.End{At: a.At, Reason: session.ReasonLimit}, Notice: a.Limit.Notice,
		}, nil)
	}
	if !eviction.UpTo.IsZero() {
		t.later(func() error {
			_, err := t.raise(&session.MarkRequest{
				Scope: revocation.UserScope(a.userID), At: a.At, Reason: session.ReasonLimit, Notice: a.Limit.Notice,
			}, eviction.UpTo)
			return err
		})
	}
	return eviction, nil
}

// replace ends the session that a is to replace, if it is a live one of the same user, or one
// that cannot be read: its tokens may be valid still.
func (t *tx) replace(a admitted) error {
	if a.Replaces.IsZero() || a.Replaces == a.id {
		return nil
	}
	snap, err := t.load(session.Ref{ID: a.Replaces, UserID: a.userID})
	switch {
	case errors.Is(err, session.ErrNotFound):
		return nil
	case unreadable(err):
		snap.Session.ID, snap.Session.User.ID = a.Replaces, a.userID
	case err != nil:
		return err
	default:
		if v, err := judge(a.Limit.Judge, snap); err != nil || !v.End.IsZero() {
			return err
		}
	}
	t.endLater(&snap, session.Ending{
		End: session.End{At: a.At, Reason: session.ReasonReplaced}, By: a.by, Notice: a.Limit.Notice,
	}, nil)
	return nil
}

// liveBeside reads the live sessions of a user that count beside the one that is admitted, newest
// first, as far as [session.Limit.Evict] needs them.
func (t *tx) liveBeside(a admitted) (live []session.Snapshot, err error) {
	limit := a.Limit
	earlier, _, err := t.mark(revocation.UserScope(a.userID))
	if err != nil && !unreadable(err) {
		return nil, err
	}
	w := t.walkUser(byUser, a.userID, sid.ID{})
	for reads := 0; len(live) < limit.Max+session.MaxEvicted && reads < limit.Max+endedSlack; reads++ {
		id, ok := w.next()
		if !ok || !id.IsZero() && earlier.Covers(id) {
			break
		}
		if id == a.id || id == a.Replaces {
			continue
		}
		snap, err := t.load(session.Ref{ID: id})
		if unreadable(err) {
			t.h.log.Error("a session is not counted against the limit of its user: its record is damaged",
				slog.String("sid", id.String()), slog.Any("error", err))
			continue
		}
		if err != nil {
			return nil, err
		}
		v, err := judge(limit.Judge, snap)
		if err != nil {
			return nil, err
		}
		if v.End.IsZero() && !snap.Session.Unclaimed {
			live = append(live, snap)
		}
	}
	return live, nil
}
