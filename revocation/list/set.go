package list

import (
	"sync"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// Set holds the revocations that a verifier knows. It is safe for concurrent use. [NewSet]
// makes one.
//
// [Set.Revoked] never waits for longer than one entry takes to insert: [Set.Load] and
// [Set.Expire] prepare new maps first, and then put them in the place of the old ones.
//
// A revocation can't be taken back: an entry stays in the set until [Set.Expire] is called
// with a time after its Until, whatever else is applied.
type Set struct {
	writer sync.Mutex // held while the entries are being changed

	mu      sync.RWMutex // guards entries; the holder of writer may read them without it
	entries entries
}

// NewSet returns an empty set.
func NewSet() *Set { return &Set{entries: newEntries()} }

// Revoked reports whether a session of that user and client is listed, or at or below a
// mark that covers it.
func (s *Set) Revoked(id sid.ID, user, client string) bool {
	s.mu.RLock()
	revoked := s.entries.revoked(id, user, client)
	s.mu.RUnlock()
	return revoked
}

// Apply adds an entry. An entry of an unknown kind is ignored.
func (s *Set) Apply(e revocation.Entry) {
	s.writer.Lock()
	defer s.writer.Unlock()
	s.mu.Lock()
	s.entries.apply(e)
	s.mu.Unlock()
}

// Load adds the entries of a snapshot to those in the set.
func (s *Set) Load(snapshot revocation.Snapshot) {
	s.writer.Lock()
	defer s.writer.Unlock()
	next := s.entries.clone()
	for _, e := range snapshot.Entries {
		next.apply(e)
	}
	s.replace(next)
}

// Expire drops the entries whose Until is before now, and frees their memory. Call it from
// time to time, with the issuer's time instead of the verifier's: then a verifier's clock
// that is ahead for a while drops nothing.
func (s *Set) Expire(now time.Time) {
	s.writer.Lock()
	defer s.writer.Unlock()
	if next := s.entries.unexpired(now.Unix()); next.len() < s.entries.len() {
		s.replace(next)
	}
}

// replace puts other entries into use. The caller holds writer.
func (s *Set) replace(next entries) {
	s.mu.Lock()
	s.entries = next
	s.mu.Unlock()
}

// Len returns the number of entries in the set.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entries.len()
}
