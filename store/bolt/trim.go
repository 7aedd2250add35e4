package bolt

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// trim removes revocations and facts that nobody needs any more, from the beginning, so that
// neither has a gap. What cannot be read goes with the next one that does: it is older.
func (s *sweep) trim() (more bool, err error) {
	index, needed, err := s.trimRevocations()
	if err != nil || index == sweepBatch {
		return index == sweepBatch, err
	}
	n := s.trimFacts(needed)
	return n == sweepBatch, nil
}

// trimRevocations removes entries of the index whose time is over. needed is the number of
// the fact that the first one which stays leads to; 0 if there is none, or it cannot be read.
func (s *sweep) trimRevocations() (n int, needed uint64, err error) {
	var (
		old    [][]byte
		now    = millis(s.req.Now)
		reader = factReader{view: &s.view}
		c      = s.bucket(revocations).Cursor()
		seen   = 0 // up to here they are over
	)
	for k, value := c.First(); k != nil && seen < sweepBatch; k, value = c.Next() {
		f, err := reader.revocation(k, value)
		switch {
		case err != nil && !unreadable(err):
			return 0, 0, err
		case err != nil:
			s.skip("revocation "+hex.EncodeToString(k), err)
		case millis(f.Until) > now:
			needed = f.Number
		default:
			seen = len(old) + 1
		}
		if needed != 0 || len(old) > maxRetries {
			break
		}
		old = append(old, append([]byte(nil), k...))
	}
	for _, key := range old[:seen] {
		s.later(func() error { return s.delete(revocations, key) })
	}
	return min(seen, sweepBatch), needed, nil
}

// trimFacts removes chunks of facts that are older than they are kept and that no revocation
// from the fact needed on is in.
func (s *sweep) trimFacts(needed uint64) int {
	var (
		old  [][]byte
		seen = 0 // up to here they are over
		now  = millis(s.req.Now)
		keep = s.h.factsKeep.Milliseconds()
		c    = s.bucket(facts).Cursor()
	)
	for k, raw := c.First(); k != nil && seen < sweepBatch && len(old) <= maxRetries; {
		key := append([]byte(nil), k...)
		broken := len(k) != 8 || len(raw) < chunkHead
		over := !broken && getMillis(raw)+keep <= now && getMillis(raw[6:]) <= now
		k, raw = c.Next()
		if needed != 0 && (len(k) != 8 || binary.BigEndian.Uint64(k) > needed) {
			break // the revocation is in this chunk
		}
		if !broken && !over {
			break
		}
		if broken {
			s.skip("facts "+hex.EncodeToString(key), fmt.Errorf("%w: %d bytes", ErrDamaged, len(raw)))
		}
		if old = append(old, key); over {
			seen = len(old)
		}
	}
	for _, key := range old[:seen] {
		s.later(func() error { return s.delete(facts, key) })
	}
	return min(seen, sweepBatch)
}
