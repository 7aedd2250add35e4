package bolt

import (
	"errors"
	"os"
	"reflect"
	"sync"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// bbolt panics between locking and unlocking when it cannot read the headers of a file,
// for example because that has been cut short. All others, Close included, would then wait
// for ever, and there is no other door to its locks than the one below. It fits one version
// of bbolt, which a test names. Where the locks are not found, the file is let go without
// bbolt, whose mapping stays until the process ends.

// locks are those of an open bbolt file.
type locks struct {
	writer, headers *sync.Mutex
	mapping         *sync.RWMutex
}

// findLocks finds the locks; ok is false if this bbolt has others.
var findLocks = func(db *bbolt.DB) (l locks, ok bool) {
	if l.writer, ok = field[sync.Mutex](db, "rwlock"); !ok {
		return l, false
	}
	if l.headers, ok = field[sync.Mutex](db, "metalock"); !ok {
		return l, false
	}
	l.mapping, ok = field[sync.RWMutex](db, "mmaplock")
	return l, ok
}

// field is an unexported field, if it exists and has that type.
func field[T any](db *bbolt.DB, name string) (*T, bool) {
	f := reflect.ValueOf(db).Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeFor[T]() {
		return nil, false
	}
	return (*T)(f.Addr().UnsafePointer()), true
}

// release lets go of what a transaction that could not begin has left locked.
func (h *handle) release(writable bool) {
	l, ok := findLocks(h.bolt)
	switch {
	case !ok:
		h.stuck.Store(true)
	case writable:
		l.writer.Unlock()
	default:
		l.headers.Unlock()
		l.mapping.RUnlock()
	}
}

// letGo closes a file that bbolt cannot close. The lock on it would live on in the mapping.
func letGo(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}
