package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// trim removes revocations and facts that nobody needs any more, from the beginning, so that
// neither has a gap. What cannot be read goes with the next one that does: it is older. A
// revocation goes with its fact at the latest, so that the newest one does not stop the feed
// until there is another.
func (s *sweep) trim() (more bool, err error) {
	if more, err = s.trimRevocations(); err != nil || more {
		return more, err // a fact stays while the index leads to it
	}
	return s.trimFacts(), nil
}

// trimRevocations removes entries of the index whose time is over.
func (s *sweep) trimRevocations() (more bool, err error) {
	old := oldest{now: millis(s.req.Now)}
	kept, err := s.firstNumber(facts, s.counters.fact)
	if err != nil && !unreadable(err) {
		return false, err
	}
	reader := factReader{view: &s.view}
	c := s.bucket(revocations).Cursor()
	for k, value := c.First(); k != nil && old.hasRoom(); k, value = c.Next() {
		f, err := reader.revocation(k, value)
		if err != nil && !unreadable(err) {
			return false, err
		}
		if err != nil {
			s.skip("revocation "+hex.EncodeToString(k), err)
			if old.addUnknown(k); s.isTrimmed(value, kept) {
				old.over = len(old.keys)
			}
		} else if !old.add(k, millis(f.Until)) {
			break
		}
	}
	return s.removeLater(revocations, &old), nil
}

// isTrimmed reports whether a revocation that cannot be read is over, because the fact that
// its value leads to has been trimmed: that stays for as long as verifiers need it. kept is
// the number of the oldest fact that has not been trimmed.
func (s *sweep) isTrimmed(value []byte, kept uint64) bool {
	return kept > s.counters.fact || len(value) == 8 && binary.BigEndian.Uint64(value) < kept
}

// trimFacts removes chunks of facts that are older than they are kept, and that verifiers
// may have forgotten.
func (s *sweep) trimFacts() (more bool) {
	old := oldest{now: millis(s.req.Now)}
	c := s.bucket(facts).Cursor()
	for k, raw := c.First(); k != nil && old.hasRoom(); k, raw = c.Next() {
		if len(k) != 8 || len(raw) < chunkHead {
			s.skip("facts "+hex.EncodeToString(k), fmt.Errorf("%w: %d bytes", ErrDamaged, len(raw)))
			old.addUnknown(k)
		} else if !old.add(k, max(getMillis(raw)+s.h.factsKeep.Milliseconds(), getMillis(raw[6:]))) {
			break
		}
	}
	return s.removeLater(facts, &old)
}

// removeLater removes what is over, and reports whether there may be more.
func (s *sweep) removeLater(from bucket, old *oldest) (more bool) {
	for _, key := range old.keys[:old.over] {
		s.later(func() error { return s.delete(from, key) })
	}
	return old.over >= sweepBatch
}

// oldest collects the first keys of a bucket, up to one that is needed still.
type oldest struct {
	now  int64
	keys [][]byte
	over int // so many of them may go
}

func (o *oldest) hasRoom() bool { return o.over < sweepBatch && len(o.keys) < maxRetries }

// add adds a key that is needed until then, and reports whether it is over.
func (o *oldest) add(key []byte, until int64) bool {
	if until > o.now {
		return false
	}
	o.addUnknown(key)
	o.over = len(o.keys)
	return true
}

// addUnknown adds a key of which nothing is known. It goes with the next one that is over.
func (o *oldest) addUnknown(key []byte) { o.keys = append(o.keys, bytes.Clone(key)) }
