package postgres

import (
	"container/list"
	"sync"

	"issuer.example/sid"
)

// maxRecent is how many sessions are remembered, of about a kilobyte each.
const maxRecent = 32 << 10

// recentSessions are sessions as this issuer has read or written them last. When there are too many, the one that was
// used longest ago is forgotten.
type recentSessions struct {
	mu    sync.Mutex
	byID  map[sid.ID]*list.Element
	order *list.List // of *stored, the one that was used last in front
}

func newRecentSessions() *recentSessions {
	return &recentSessions{byID: make(map[sid.ID]*list.Element), order: list.New()}
}

// Get returns a session, which must not be changed.
func (r *recentSessions) Get(id sid.ID) (s *stored, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byID[id]
	if !ok {
		return nil, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*stored), true //nolint:forcetypeassert // it has nothing else
}

// Add remembers a session.
func (r *recentSessions) Add(id sid.ID, s *stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byID[id]; ok {
		e.Value = s
		r.order.MoveToFront(e)
		return
	}
	r.byID[id] = r.order.PushFront(s)
	if len(r.byID) > maxRecent {
		oldest := r.order.Remove(r.order.Back()).(*stored) //nolint:forcetypeassert // it has nothing else
		delete(r.byID, oldest.Session.ID)
	}
}

// Remove forgets a session.
func (r *recentSessions) Remove(id sid.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byID[id]; ok {
		r.order.Remove(e)
		delete(r.byID, id)
	}
}
