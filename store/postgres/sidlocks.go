package postgres

import (
	"context"
	"sync"

	"issuer.example/sid"
)

// sidLocks let one change of a session be written at a time by this issuer. Two that are written at once would compete
// at the server, where one of them loses and is decided again.
type sidLocks struct {
	mu   sync.Mutex
	held map[sid.ID]*sidLock
}

type sidLock struct {
	free  chan struct{} // has a value while nobody holds it
	users int           // that hold it or wait for it
}

// lock waits for a session. The caller calls unlock unless there is an error.
func (l *sidLocks) lock(ctx context.Context, id sid.ID) (unlock func(), err error) {
	lock := l.enter(id)
	select {
	case <-lock.free:
		return func() {
			lock.free <- struct{}{}
			l.leave(id, lock)
		}, nil
	case <-ctx.Done():
		l.leave(id, lock)
		return nil, ctx.Err()
	}
}

func (l *sidLocks) enter(id sid.ID) *sidLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[sid.ID]*sidLock)
	}
	lock := l.held[id]
	if lock == nil {
		lock = &sidLock{free: make(chan struct{}, 1)}
		lock.free <- struct{}{}
		l.held[id] = lock
	}
	lock.users++
	return lock
}

func (l *sidLocks) leave(id sid.ID, lock *sidLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lock.users--; lock.users == 0 {
		delete(l.held, id)
	}
}
