package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store"
)

// acknowledged is what callers were told is stored: the generations of sessions.
type acknowledged struct {
	mu          sync.Mutex
	generations map[sid.ID]uint32
}

// create adds a session.
func (a *acknowledged) create(ctx context.Context, db store.Backend) (sid.ID, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	created, err := db.Create(ctx, session.CreateRequest{
		Session: session.Session{
			User: session.User{ID: "u1"}, ClientID: "app",
			CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Hour), IdleTimeout: time.Hour,
		},
		State:     session.State{State: refresh.State{RedeemedAt: now}, LastSeenAt: now},
		By:        "backend",
		Admission: session.Admission{At: now, Limit: session.Limit{Judge: lives, Notice: session.Notice{Issued: now, Life: time.Minute}}},
	})
	if err != nil {
		return sid.ID{}, err
	}
	a.store(created.Session)
	return created.Session.Session.ID, nil
}

// lives judges that a session lives as long as it can.
func lives(s session.Snapshot) session.Verdict { return session.Verdict{Again: s.Session.ExpiresAt} }

// advance adds one to the generation of a session.
func (a *acknowledged) advance(ctx context.Context, db store.Backend, id sid.ID) error {
	s, err := db.Change(ctx, session.Target{Ref: session.Ref{ID: id}}, func(s, _ session.Snapshot) (session.Change, error) {
		s.State.Generation++
		return session.Change{State: &s.State}, nil
	})
	if err == nil {
		a.store(s)
	}
	return err
}

func (a *acknowledged) store(s session.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.generations == nil {
		a.generations = map[sid.ID]uint32{}
	}
	a.generations[s.Session.ID] = max(a.generations[s.Session.ID], s.State.Generation)
}

// verify fails if something is missing.
func (a *acknowledged) verify(t *testing.T, db store.Backend) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, generation := range a.generations {
		s, err := db.Load(t.Context(), session.Ref{ID: id})
		if err != nil || s.State.Generation < generation {
			t.Errorf("session %s: generation %d, %v; %d was acknowledged", id, s.State.Generation, err, generation)
		}
	}
}

// use creates sessions and advances them, which must work.
func (a *acknowledged) use(t *testing.T, db store.Backend) {
	t.Helper()
	for range 3 {
		id, err := a.create(t.Context(), db)
		if err == nil {
			err = a.advance(t.Context(), db, id)
		}
		if err != nil {
			t.Fatalf("using the store: %v", err)
		}
	}
	a.verify(t, db)
}

// recovers waits until the store works again. Until then it must say that it is not available.
func (a *acknowledged) recovers(t *testing.T, db store.Backend) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, err := a.create(t.Context(), db)
		switch {
		case err == nil:
			a.use(t, db)
			return
		case !errors.Is(err, session.ErrUnavailable):
			t.Fatalf("a store that is not available says %v", err)
		case time.Now().After(deadline):
			t.Fatalf("the store does not recover: %v", err)
		}
	}
}
