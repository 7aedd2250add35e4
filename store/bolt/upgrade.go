package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"issuer.example/fact"
	"issuer.example/revocation"
)

// upgrade brings a file of an earlier schema to this one, in one transaction.
//
// Schema 2 had other states and fewer places in records. Both are read as they are, and written
// anew when their session is used; so only the number of the schema changes.
//
// Schema 1 had also a log of revocations with their content, and counters without those of the
// facts. Its entries become facts, numbered from 1; they keep their numbers as revocations.
func (h *handle) upgrade() error {
	var newest int64
	if h.schema == 1 {
		err := h.view(func(v *view) (err error) {
			newest, err = v.newestTime()
			return err
		})
		if err != nil {
			return err
		}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	b, err := h.begin()
	if err != nil {
		return err
	}
	if err := b.upgrade(newest); err != nil {
		return errors.Join(err, b.rollback())
	}
	return b.h.commit(b.tx)
}

func (b *batch) upgrade(newest int64) (err error) {
	defer recovered("writing", &err)
	if b.h.schema == 1 {
		if err := b.upgradeFacts(newest); err != nil {
			return err
		}
	}
	return b.put(meta, []byte(keySchema), binary.BigEndian.AppendUint32(nil, schema))
}

// upgradeFacts brings a file of schema 1 to schema 2.
func (b *batch) upgradeFacts(newest int64) error {
	if _, err := b.tx.CreateBucketIfNotExists(facts.name()); err != nil {
		return err
	}
	b.counters.newest = newest
	if err := b.upgradeLog(); err != nil {
		return err
	}
	return b.put(meta, []byte(keyCounters), b.counters.encode())
}

// newestTime is the latest time that a refresh or a sign-in has left in any state.
func (v *view) newestTime() (newest int64, err error) {
	for _, b := range []bucket{states, ends} {
		err = v.bucket(b).ForEach(func(key, raw []byte) error {
			if b == states && len(key) == 16 {
				raw = v.state([16]byte(key))
			}
			if len(raw) >= stateLen {
				newest = max(newest, getMillis(raw[16:]), getMillis(raw[22:]))
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return newest, nil
}

// upgradeLog makes facts of the log's entries.
func (b *batch) upgradeLog() error {
	err := b.bucket(revocations).ForEach(func(key, raw []byte) error {
		f, err := decodeEntryV1(key, raw)
		if err != nil {
			return err
		}
		b.counters.fact++
		f.Number = b.counters.fact
		b.facts = append(b.facts, f)
		b.written = max(b.written, millis(f.At))
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.empty(revocations); err != nil {
		return err
	}
	return b.putFacts()
}

// Counters of schema 1 are: live (8) | number of the newest log entry (8) | last (16).
func decodeCountersV1(b []byte) (counters, error) {
	if len(b) != 8+8+16 {
		return counters{}, fmt.Errorf("%w: counters of %d bytes", ErrDamaged, len(b))
	}
	return decodeCounters(append(b[:len(b):len(b)], make([]byte, 8+8)...))
}

// A log entry of schema 1 is: kind (1) | sid (16) | at (6) | until (6) | reason | name of
// the scope. Its key is its number (8).
func decodeEntryV1(key, b []byte) (f fact.Fact, err error) {
	if len(key) != 8 || len(b) < 1+16+6+6 {
		return f, fmt.Errorf("%w: log entry %x", ErrDamaged, key)
	}
	f.Revocation = binary.BigEndian.Uint64(key)
	copy(f.SID[:], b[1:17])
	f.At, f.Until = fromMillis(getMillis(b[17:])), fromMillis(getMillis(b[23:]))
	what, name, err := cutReason(b[29:])
	if err != nil {
		return f, fmt.Errorf("log entry %d: %w", f.Revocation, err)
	}
	f.What = what
	switch kind := revocation.Kind(b[0]); {
	case kind == revocation.KindSession && len(name) == 0:
		f.Kind = fact.Ended
	case isMark(kind):
		f.Kind, f.Scope = fact.Marked, revocation.Scope{Kind: kind, Name: string(name)}
	default:
		return f, fmt.Errorf("%w: log entry %d has kind %d", ErrDamaged, f.Revocation, kind)
	}
	return f, nil
}
