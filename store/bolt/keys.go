package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/session"
)

var _ keys.Store = (*DB)(nil)

// keyDocument is the one key of the keys bucket: version (8) | document.
const keyDocument = "set"

func decodeKeys(raw []byte) (keys.Stored, error) {
	if raw == nil {
		return keys.Stored{}, nil
	}
	if len(raw) < 8 || binary.BigEndian.Uint64(raw) == 0 {
		return keys.Stored{}, fmt.Errorf("%w: the set of keys", ErrDamaged)
	}
	return keys.Stored{Version: binary.BigEndian.Uint64(raw), Document: bytes.Clone(raw[8:])}, nil
}

func encodeKeys(set keys.Stored) []byte {
	return append(binary.BigEndian.AppendUint64(nil, set.Version), set.Document...)
}

// LoadKeys implements [keys.Store].
func (db *DB) LoadKeys(ctx context.Context) (stored keys.Stored, err error) {
	err = db.view(ctx, func(v *view) (err error) {
		stored, err = v.keys()
		return err
	})
	return stored, err
}

func (v *view) keys() (keys.Stored, error) {
	return decodeKeys(v.get(keySet, []byte(keyDocument)))
}

// SwapKeys implements [keys.Store].
func (db *DB) SwapKeys(ctx context.Context, from uint64, document []byte, changes []keys.Change) error {
	document, changes = bytes.Clone(document), slices.Clone(changes)
	steps := make([]fact.Fact, len(changes))
	for i, c := range changes {
		steps[i] = fact.Fact{Kind: fact.KeyChanged, At: c.At, KeyID: c.KeyID, What: c.Step(), By: c.By}
		if err := checkFact(&steps[i]); err != nil {
			return err
		}
	}
	return db.update(ctx, func(t *tx) error {
		stored, err := t.keys()
		if err != nil {
			return err
		}
		if stored.Version != from {
			return keys.ErrConflict
		}
		raw := encodeKeys(keys.Stored{Version: from + 1, Document: document})
		t.later(func() error {
			for _, f := range steps {
				t.addFact(f, session.Notice{})
			}
			return t.put(keySet, []byte(keyDocument), raw)
		})
		return nil
	})
}
