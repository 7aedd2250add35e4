package list

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// Set is the revocation list that a verifier holds in memory. It is safe for concurrent use,
// and [Set.Revoked] takes no lock, so it never waits for a writer.
//
// An entry stays in the set until its Until has passed, whatever else is applied: a
// revocation cannot be undone.
//
// Users and clients are told apart by a keyed hash of 64 bits. If two of them have the same
// hash, the mark of one covers the other too: a session may end too early, but a revoked
// session is never accepted.
type Set struct {
	seeds [3]maphash.Seed // users, clients, sessions
	salt  [2]uint64       // of the hash of session identifiers

	sessions       atomic.Pointer[table]
	users, clients atomic.Pointer[table] // nil while there is no mark

	everything slot // hash is 1 while the mark is set
	held       atomic.Int64

	mu      sync.Mutex // held by writers
	expired int64      // entries whose Until is before it are dropped; Unix seconds
}

// NewSet returns an empty set.
func NewSet() *Set {
	s := &Set{seeds: [3]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range s.salt {
		s.salt[i] = maphash.Comparable(s.seeds[2], i)
	}
	s.sessions.Store(newTable(0))
	return s
}

// Revoked reports whether a session of that user and client is on the list, or under a mark
// that covers it.
func (s *Set) Revoked(id sid.ID, user, client string) bool {
	hi, lo := words(id)
	if s.everything.hash.Load() != 0 && s.everything.covers(hi, lo) {
		return true
	}
	if s.sessions.Load().session(s.sessionHash(hi, lo), hi, lo) != nil {
		return true
	}
	return covered(s.users.Load(), s.seeds[0], user, hi, lo) ||
		covered(s.clients.Load(), s.seeds[1], client, hi, lo)
}

// covered looks for a mark of that name. Most sets have no marks, and then it costs no
// hash.
func covered(t *table, seed maphash.Seed, name string, hi, lo uint64) bool {
	if t == nil {
		return false
	}
	mark := t.mark(nameHash(seed, name))
	return mark != nil && mark.covers(hi, lo)
}

// Apply adds an entry. An entry of an unknown kind is ignored.
func (s *Set) Apply(e revocation.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(e)
}

// Load adds the entries of a snapshot to those that the set holds already.
func (s *Set) Load(snapshot revocation.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := 0
	for _, e := range snapshot.Entries {
		if e.Scope.Kind == revocation.KindSession {
			fresh++
		}
	}
	if t := s.sessions.Load(); (t.used+fresh)*loadUnit > len(t.slots)*fullLoad {
		s.swap(&s.sessions, t.successor(s.expired, fresh))
	}
	for _, e := range snapshot.Entries {
		s.apply(e)
	}
}

func (s *Set) apply(e revocation.Entry) {
	hi, lo := words(e.SID)
	until := e.Until.Unix()
	switch e.Scope.Kind {
	case revocation.KindSession:
		hash := s.sessionHash(hi, lo)
		s.put(&s.sessions, s.sessions.Load().session(hash, hi, lo), hash, hi, lo, until)
	case revocation.KindUser:
		s.putMark(&s.users, nameHash(s.seeds[0], e.Scope.Name), hi, lo, until)
	case revocation.KindClient:
		s.putMark(&s.clients, nameHash(s.seeds[1], e.Scope.Name), hi, lo, until)
	case revocation.KindEverything:
		s.putEverything(hi, lo, until)
	}
}

func (s *Set) putEverything(hi, lo uint64, until int64) {
	mark := &s.everything
	if mark.hash.Load() != 0 {
		mark.raise(hi, lo)
		mark.until.Store(max(mark.until.Load(), until))
		return
	}
	mark.hi.Store(hi)
	mark.lo.Store(lo)
	mark.until.Store(until)
	mark.hash.Store(1)
	s.held.Add(1)
}

func (s *Set) putMark(in *atomic.Pointer[table], hash, hi, lo uint64, until int64) {
	if in.Load() == nil {
		in.Store(newTable(0))
	}
	s.put(in, in.Load().mark(hash), hash, hi, lo, until)
}

// put changes the slot of an entry, or adds one.
func (s *Set) put(in *atomic.Pointer[table], old *slot, hash, hi, lo uint64, until int64) {
	if old != nil {
		old.raise(hi, lo)
		old.until.Store(max(old.until.Load(), until))
		return
	}
	t := in.Load()
	if t.full() {
		s.swap(in, t.successor(s.expired, 1))
		t = in.Load()
	}
	t.add(hash, hi, lo, until)
	s.held.Add(1)
}

// swap replaces a table. Readers that still use the old one see the state of a moment before.
func (s *Set) swap(in *atomic.Pointer[table], next *table) {
	s.held.Add(int64(next.used - in.Load().used))
	in.Store(next)
}

// Expire drops the entries whose Until is before now, and frees their memory. Call it from
// time to time, with the issuer's time rather than the verifier's, so that a verifier's clock
// that runs ahead for a while drops nothing.
func (s *Set) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = now.Unix()
	for _, in := range [...]*atomic.Pointer[table]{&s.sessions, &s.users, &s.clients} {
		if t := in.Load(); t != nil && t.live(s.expired) < t.used {
			s.swap(in, t.successor(s.expired, 0))
		}
	}
	if s.everything.hash.Load() != 0 && s.everything.until.Load() < s.expired {
		s.everything.hash.Store(0)
		s.held.Add(-1)
	}
}

// Len returns the number of entries and marks that the set holds.
func (s *Set) Len() int { return int(s.held.Load()) }

// sessionHash spreads identifiers, which are mostly random already. The salt keeps outsiders
// from choosing identifiers that collide.
func (s *Set) sessionHash(hi, lo uint64) uint64 {
	high, low := bits.Mul64(hi^s.salt[0], lo^s.salt[1])
	return max(high^low, 1)
}

func nameHash(seed maphash.Seed, name string) uint64 { return max(maphash.String(seed, name), 1) }

func words(id sid.ID) (hi, lo uint64) {
	return binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
}
