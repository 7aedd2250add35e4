package bolt

import (
	"context"
	"errors"
	"time"

	"issuer.example/fact"
	"issuer.example/session"
	"issuer.example/sid"
)

var errUserID = errors.New("bolt: a user id has 1 to 4096 bytes and no NUL")

// Create implements [session.Store].
func (db *DB) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	if !validUser(c.Session.User.ID) {
		return session.Created{}, errUserID
	}
	if c.At.IsZero() && (c.Limit.Max > 0 || !c.Replaces.IsZero()) {
		return session.Created{}, errEndTime
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
	newcomer := admitted{userID: c.Session.User.ID, by: c.By, Admission: &c.Admission}
	eviction, err := t.admit(newcomer)
	if err != nil {
		return created, err
	}
	created.Evicted, created.EvictedUpTo = eviction.Each, eviction.UpTo
	c.Session.ID = sid.Next(t.counters.last, c.Session.CreatedAt)
	if created.Session, err = t.insert(&c.Session, &c.State, c.Limit.Judge); err != nil {
		return created, err
	}
	t.later(func() error {
		t.addFact(fact.Fact{Kind: fact.Created, At: c.Session.CreatedAt, SID: c.Session.ID, By: c.By}, session.Notice{})
		return nil
	})
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
