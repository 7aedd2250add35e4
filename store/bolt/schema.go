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
	revocations               // number (8) → entry
	marks                     // kind ‖ name → mark
	marksToDo                 // what the sweeper has to do with which mark: see markqueue.go
	keySet                    // the set of signing keys
	meta                      // what the file is, and its counters
	journalA                  // number (8) → states that are newer than those in the states bucket
	journalB                  // likewise
	buckets                   // how many there are
)

func (b bucket) name() []byte {
	return []byte([buckets]string{
		"sessions", "state", "ended", "by_user", "by_user_ended", "by_due",
		"log", "marks", "marks_to_do", "keys", "meta", "journal_a", "journal_b",
	}[b])
}

// fill is how full a page is left when it is split. Buckets that grow at their end, or
// whose values never change size, pack their pages.
func (b bucket) fill() float64 {
	switch b {
	case sessions, states, ends, byDue, revocations, journalA, journalB:
		return 1
	case byUser, byUserEnded, marks, marksToDo, keySet, meta, buckets:
	}
	return bbolt.DefaultFillPercent
}

const (
	program = "issuer" // what meta says the file belongs to
	// schema is the version of this layout. A file of a greater one is refused.
	schema = 1
)

const (
	keyProgram  = "program"
	keySchema   = "schema"
	keyCounters = "counters"
)

// counters are kept beside the data, in the same transactions.
type counters struct {
	live int64  // sessions without a recorded end
	seq  uint64 // number of the newest log entry
	last sid.ID // greatest identifier that a session or a mark ever had
}

const countersLen = 8 + 8 + 16

func (c counters) encode() []byte {
	b := make([]byte, 0, countersLen)
	b = binary.BigEndian.AppendUint64(b, uint64(c.live)) //nolint:gosec // never negative
	b = binary.BigEndian.AppendUint64(b, c.seq)
	return append(b, c.last[:]...)
}

func decodeCounters(b []byte) (c counters, err error) {
	if len(b) != countersLen {
		return c, fmt.Errorf("%w: counters of %d bytes", ErrDamaged, len(b))
	}
	c.live = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked below
	c.seq = binary.BigEndian.Uint64(b[8:])
	copy(c.last[:], b[16:])
	if c.live < 0 {
		return c, fmt.Errorf("%w: a negative number of sessions", ErrDamaged)
	}
	return c, nil
}

// layOut makes the buckets of a new file.
func layOut(tx *bbolt.Tx) error {
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

// recognise checks that the file is ours and not newer than we are, and reads its counters.
func recognise(tx *bbolt.Tx) (counters, error) {
	m := tx.Bucket(meta.name())
	if m == nil || string(m.Get([]byte(keyProgram))) != program {
		return counters{}, ErrForeign
	}
	version := m.Get([]byte(keySchema))
	if len(version) != 4 {
		return counters{}, fmt.Errorf("%w: no schema version", ErrDamaged)
	}
	if v := binary.BigEndian.Uint32(version); v > schema {
		return counters{}, fmt.Errorf("%w: its schema is %d, this version knows %d", ErrNewer, v, schema)
	}
	for b := range buckets {
		if tx.Bucket(b.name()) == nil {
			return counters{}, fmt.Errorf("%w: bucket %q is missing", ErrDamaged, b.name())
		}
	}
	return decodeCounters(m.Get([]byte(keyCounters)))
}
