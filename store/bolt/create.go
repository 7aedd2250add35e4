package bolt

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"issuer.example/fact"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// liveSlack is how many live sessions beyond the limit of their user a sign-in reads. More
	// can only be there after the limit has been lowered.
	liveSlack = 64
	// endedSlack is how many it reads that do not count: they have ended by the clock or under
	// a mark, and a sweep has not recorded it yet; or they cannot be read.
	endedSlack = 1024
)

var errUserID = errors.New("bolt: a user id has 1 to 4096 bytes and no NUL")

// Create implements [session.Store].
func (db *DB) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	if !validUser(c.Session.User.ID) {
		return session.Created{}, errUserID
	}
	if len(c.By) > maxWord {
		return session.Created{}, errLongFact
	}
	created := &session.Created{}
	err := db.update(ctx, func(t *tx) (err error) {
		*created, err = t.create(c)
		return err
	})
	if err != nil {
		return session.Created{}, err
	}
	return *created, nil
}

func (t *tx) create(c session.CreateRequest) (created session.Created, err error) {
	evicted, err := t.evict(c.Session.User.ID, c.Session.CreatedAt, &c.Limit)
	if err != nil {
		return created, err
	}
	c.Session.ID = sid.Next(t.counters.last, c.Session.CreatedAt)
	if created.Session, err = t.insert(&c.Session, &c.State, c.Limit.Judge); err != nil {
		return created, err
	}
	t.later(func() error {
		t.addFact(fact.Fact{Kind: fact.Created, At: c.Session.CreatedAt, SID: c.Session.ID, By: c.By}, session.Notice{})
		return nil
	})
	created.Evicted = evicted
	return created, nil
}

// insert adds a session, and returns it as it will be read.
func (t *tx) insert(s *session.Session, st *session.State, verdict session.Judge) (snap session.Snapshot, err error) {
	raw, state, snap, err := t.h.codec.store(s, st)
	if err != nil {
		return snap, err
	}
	due, err := firstDue(snap, verdict)
	if err != nil {
		return snap, err
	}
	t.later(func() error {
		t.counters.last = s.ID
		t.counters.live++
		t.noteTimes(s.CreatedAt, s.AuthTime, st.RedeemedAt, st.LastSeenAt)
		return errors.Join(
			t.put(sessions, s.ID[:], raw),
			t.put(states, s.ID[:], state[:]),
			t.put(byUser, userKey(s.User.ID, s.ID), nil),
			t.put(byDue, dueKey(due, s.ID), nil),
		)
	})
	return snap, nil
}

// firstDue is when a sweep is to look at a new session.
func firstDue(snap session.Snapshot, verdict session.Judge) (time.Time, error) {
	if verdict != nil {
		v, err := judge(verdict, snap)
		return v.Again, err
	}
	idle := snap.State.LastSeenAt.Add(snap.Session.IdleTimeout)
	if idle.After(snap.Session.ExpiresAt) {
		return snap.Session.ExpiresAt, nil
	}
	return idle, nil
}

// noteTimes records the latest time on record: see [session.Notice].
func (b *batch) noteTimes(times ...time.Time) {
	for _, t := range times {
		b.counters.newest = max(b.counters.newest, millis(t))
	}
}

// judge asks for the verdict on a snapshot.
func judge(verdict session.Judge, snap session.Snapshot) (session.Verdict, error) {
	return guard(func() (session.Verdict, error) { return verdict(snap), nil })
}

// evict ends as many sessions of a user as a limit asks for, so that one more fits.
func (t *tx) evict(userID string, now time.Time, limit *session.Limit) ([]session.Snapshot, error) {
	if limit.Max <= 0 {
		return nil, nil
	}
	live, err := t.liveOf(userID, limit)
	if err != nil {
		return nil, err
	}
	evicted, err := limit.Evict(live)
	if err != nil {
		return nil, err
	}
	for i := range evicted {
		ending := session.Ending{End: session.End{At: now, Reason: session.ReasonLimit}, Notice: limit.Notice}
		t.endLater(&evicted[i], ending, nil)
	}
	return evicted, nil
}

// liveOf reads the live sessions of a user, newest first, as far as a sign-in may.
func (t *tx) liveOf(userID string, limit *session.Limit) (live []session.Snapshot, err error) {
	w := t.walkUser(byUser, userID, sid.ID{})
	for reads := 0; len(live) < limit.Max+liveSlack && reads < limit.Max+endedSlack; reads++ {
		id, ok := w.next()
		if !ok {
			break
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
		if v.End.IsZero() {
			live = append(live, snap)
		}
	}
	return live, nil
}
