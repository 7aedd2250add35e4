package client

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// ErrDuplicate means that two keys have the same name or the same hash.
var ErrDuplicate = errors.New("client: duplicate key")

// Registry finds service keys by their text. All methods may be called concurrently. The
// set of keys never changes; only the times of last use do, and they are kept in memory.
type Registry struct {
	entries []entry
	byName  map[string]*entry
}

type entry struct {
	key Key
	// lastUse is in milliseconds since 1970; 0 means that the key was not used. Registries
	// of one key share it.
	lastUse *atomic.Int64
}

// NewRegistry returns a registry of keys. Names and hashes must be unique ([ErrDuplicate]),
// names must pass [CheckName] and scopes must exist ([ErrScope]). No keys are allowed.
func NewRegistry(keys []Key) (*Registry, error) {
	r := &Registry{entries: make([]entry, len(keys)), byName: make(map[string]*entry, len(keys))}
	hashes := make(map[Hash]bool, len(keys))
	for i, k := range keys {
		if err := check(k); err != nil {
			return nil, fmt.Errorf("service key %q: %w", k.Name, err)
		}
		if r.Has(k.Name) {
			return nil, fmt.Errorf("%w: two service keys are called %s", ErrDuplicate, k.Name)
		}
		if hashes[k.SHA256] {
			return nil, fmt.Errorf("%w: service key %s has the hash of another one", ErrDuplicate, k.Name)
		}
		e := &r.entries[i]
		e.key = Key{Name: k.Name, SHA256: k.SHA256, Scopes: slices.Clone(k.Scopes)}
		e.lastUse = new(atomic.Int64)
		r.byName[k.Name], hashes[k.SHA256] = e, true
	}
	return r, nil
}

// ShareUses makes the keys that both registries have share their times of last use. It must be
// called before r is used.
func (r *Registry) ShareUses(with *Registry) {
	for i := range r.entries {
		e := &r.entries[i]
		if other := with.byName[e.key.Name]; other != nil && other.key.SHA256 == e.key.SHA256 {
			e.lastUse = other.lastUse
		}
	}
}

func check(k Key) error {
	for _, s := range k.Scopes {
		if _, err := ParseScope(string(s)); err != nil {
			return err
		}
	}
	return CheckName(k.Name)
}

// Find returns the key whose text this is, and whether there is one. The time that a
// well-formed text takes does not depend on whether or where it is found. The caller must
// not change the key's Scopes. Find does not count as a use: see [Registry.MarkUsed].
func (r *Registry) Find(text string) (Key, bool) {
	if _, err := ParseKey(text); err != nil {
		return Key{}, false
	}
	hash, found := HashKey(text), -1
	for i := range r.entries {
		same := subtle.ConstantTimeCompare(hash[:], r.entries[i].key.SHA256[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return Key{}, false
	}
	return r.entries[found].key, true
}

// Has reports whether a key has that name.
func (r *Registry) Has(name string) bool { return r.byName[name] != nil }

// MarkUsed records that the key of that name was used at that time. Times may arrive out
// of order: the latest one counts. An unknown name is ignored.
func (r *Registry) MarkUsed(name string, at time.Time) {
	e := r.byName[name]
	if e == nil {
		return
	}
	for ms := at.UnixMilli(); ; {
		last := e.lastUse.Load()
		if ms <= last || e.lastUse.CompareAndSwap(last, ms) {
			return
		}
	}
}

// LastUse returns when the key of that name was last used since the registry was made, in
// UTC and milliseconds. It is the zero time when the key was not used or does not exist.
func (r *Registry) LastUse(name string) time.Time {
	e := r.byName[name]
	if e == nil {
		return time.Time{}
	}
	ms := e.lastUse.Load()
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
