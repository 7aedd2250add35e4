package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
)

// trim removes revocations and facts that nobody needs any more, from the beginning, so that
// neither has a gap. One that cannot be read is removed together with the next readable one,
// because it is older than that, and a revocation at the latest with its fact, so that the
// newest one does not stop the feed until there is another.
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
		if len(k) == 8 && len(raw) > chunkHead && old.add(k, s.keptUntil(raw)) {
			continue
		}
		// It is needed still, or its times are as damaged as the rest of it.
		_, err := decodeChunk(k, raw)
		if err == nil {
			break
		}
		s.skip("facts "+hex.EncodeToString(k), err)
		old.addUnknown(k)
	}
	return s.removeLater(facts, &old)
}

// keptUntil is when a chunk of facts may go, in milliseconds.
func (s *sweep) keptUntil(chunk []byte) int64 {
	return max(getMillis(chunk)+s.h.factsKeep.Milliseconds(), getMillis(chunk[6:]))
}

// removeLater removes what is over, and reports whether there may be more.
func (s *sweep) removeLater(from bucket, old *oldest) (more bool) {
	for _, key := range old.keys[:old.over] {
		s.later(func() error { return s.delete(from, key) })
	}
	return old.over >= sweepBatch
}

// oldest collects the first keys of a bucket, up to one that is still needed.
type oldest struct {
	now  int64
	keys [][]byte
	over int // how many of the keys can be removed
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

// addUnknown adds a key whose value cannot be read. It is removed with the next one that is over.
func (o *oldest) addUnknown(key []byte) { o.keys = append(o.keys, bytes.Clone(key)) }
