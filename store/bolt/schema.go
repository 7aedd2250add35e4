package bolt

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
)

// bucket names one of the file's buckets.
type bucket int

const (
	sessions    bucket = iota // sid → record
	states                    // sid → state, of sessions without a recorded end; journals have newer ones
	ends                      // sid → last state (44) ‖ end
	byUser                    // user ‖ 0 ‖ sid → nothing, of sessions without a recorded end
	byUserEnded               // user ‖ 0 ‖ sid → nothing, of the others
	byDue                     // milliseconds (8) ‖ sid → nothing
	facts                     // number of the first (8) → facts of one commit: see factrow.go
	revocations               // number of a revocation (8) → number of its fact (8)
	marks                     // kind ‖ name → mark
	marksToDo                 // what is to be done with which mark: see markrow.go
	keySet                    // the set of signing keys
	meta                      // what the file is, and its counters
	journalA                  // number (8) → states that are newer than those in the states bucket
	journalB                  // likewise
	buckets                   // how many there are
)

func (b bucket) name() []byte {
	return []byte([buckets]string{
		"sessions", "state", "ended", "by_user", "by_user_ended", "by_due",
		"facts", "log", "marks", "marks_to_do", "keys", "meta", "journal_a", "journal_b",
	}[b])
}

// fill is how full a page is left when it is split. Buckets that grow at their end, or
// whose values never change size, pack their pages.
func (b bucket) fill() float64 {
	switch b {
	case sessions, states, ends, byDue, facts, revocations, journalA, journalB:
		return 1
	case byUser, byUserEnded, marks, marksToDo, keySet, meta, buckets:
	}
	return bbolt.DefaultFillPercent
}

const (
	program = "issuer" // what meta says the file belongs to
	// schema is the version of this layout. A file of a greater one is refused; one of a
	// smaller one is upgraded when it is opened.
	schema = 3
)

const (
	keyProgram  = "program"
	keySchema   = "schema"
	keyCounters = "counters"
)

// counters are kept beside the data, in the same transactions.
type counters struct {
	live       int64  // sessions without a recorded end
	revocation uint64 // number of the newest revocation
	last       sid.ID // greatest identifier that a session or a mark ever had
	fact       uint64 // number of the newest fact
	newest     int64  // latest time on record, in milliseconds: see session.Notice
}

const countersLen = 8 + 8 + 16 + 8 + 8

func (c counters) encode() []byte {
	b := make([]byte, 0, countersLen)
	b = binary.BigEndian.AppendUint64(b, uint64(c.live)) //nolint:gosec // never negative
	b = binary.BigEndian.AppendUint64(b, c.revocation)
	b = append(b, c.last[:]...)
	b = binary.BigEndian.AppendUint64(b, c.fact)
	return binary.BigEndian.AppendUint64(b, uint64(c.newest)) //nolint:gosec // never negative
}

func decodeCounters(b []byte) (c counters, err error) {
	if len(b) != countersLen {
		return c, fmt.Errorf("%w: counters of %d bytes", ErrDamaged, len(b))
	}
	c.live = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked below
	c.revocation = binary.BigEndian.Uint64(b[8:])
	copy(c.last[:], b[16:32])
	c.fact = binary.BigEndian.Uint64(b[32:])
	c.newest = int64(binary.BigEndian.Uint64(b[40:])) //nolint:gosec // checked below
	if c.live < 0 || c.newest < 0 || c.newest > maxMillis {
		return c, fmt.Errorf("%w: a counter is out of range", ErrDamaged)
	}
	return c, nil
}

// createBuckets makes the buckets of a new file.
func createBuckets(tx *bbolt.Tx) error {
	for b := range buckets {
		if _, err := tx.CreateBucketIfNotExists(b.name()); err != nil {
			return err
		}
	}
	m := tx.Bucket(meta.name())
	for key, value := range map[string][]byte{
		keyProgram:  []byte(program),
		keySchema:   binary.BigEndian.AppendUint32(nil, schema),
		keyCounters: counters{}.encode(),
	} {
		if err := m.Put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}

// checkSchema checks that the file is ours and not newer than we are, and returns its
// schema.
func checkSchema(tx *bbolt.Tx) (version uint32, err error) {
	m := tx.Bucket(meta.name())
	if m == nil || string(m.Get([]byte(keyProgram))) != program {
		return 0, ErrForeign
	}
	raw := m.Get([]byte(keySchema))
	if len(raw) != 4 {
		return 0, fmt.Errorf("%w: no schema version", ErrDamaged)
	}
	if version = binary.BigEndian.Uint32(raw); version > schema {
		return 0, fmt.Errorf("%w: its schema is %d, this version knows %d", ErrNewer, version, schema)
	}
	for b := range buckets {
		if b == facts && version == 1 {
			continue
		}
		if tx.Bucket(b.name()) == nil {
			return 0, fmt.Errorf("%w: bucket %q is missing", ErrDamaged, b.name())
		}
	}
	return version, nil
}
