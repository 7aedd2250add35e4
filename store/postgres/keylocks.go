package postgres

import (
	"context"
	"sync"
)

// keyLocks let one operation with a key, such as the identifier of a session, be under way at a time at this issuer. Two
// that are sent at once would compete at the server.
type keyLocks[K comparable] struct {
	mu   sync.Mutex
	held map[K]*keyLock
}

type keyLock struct {
	free  chan struct{} // has a value while nobody holds it
	users int           // that hold it or wait for it
}

// lock waits for a key. The caller calls unlock unless there is an error.
func (l *keyLocks[K]) lock(ctx context.Context, key K) (unlock func(), err error) {
	lock := l.enter(key)
	select {
	case <-lock.free:
		return func() {
			lock.free <- struct{}{}
			l.leave(key, lock)
		}, nil
	case <-ctx.Done():
		l.leave(key, lock)
		return nil, ctx.Err()
	}
}

func (l *keyLocks[K]) enter(key K) *keyLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[K]*keyLock)
	}
	lock := l.held[key]
	if lock == nil {
		lock = &keyLock{free: make(chan struct{}, 1)}
		lock.free <- struct{}{}
		l.held[key] = lock
	}
	lock.users++
	return lock
}

func (l *keyLocks[K]) leave(key K, lock *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lock.users--; lock.users == 0 {
		delete(l.held, key)
	}
}
