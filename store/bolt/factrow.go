package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"issuer.example/fact"
	"issuer.example/revocation"
)

// The facts of one commit are stored together, up to chunkFacts of them under one key: the
// number of the first (8). A chunk is:
//
//	written (6) | until (6) | for each fact: its length (varint) and the fact
//
// written is the latest time that the commit knew of: facts are kept by it, because the time
// of a fact itself can lie long before it was written (a session that expired while no
// issuer ran). until is when verifiers may forget the last revocation among the facts, or 0.
//
// A fact is: kind (1) | fields (1) | at (6), and then of these what its fields say:
//
//	sid (16) | what, as a reason | by, as a word | kind of scope (1), length (varint), name |
//	key id, as a word | number of the revocation (varint), until (6)
//
// Its number is that of the chunk and its place in it.
const (
	chunkFacts = 64
	chunkHead  = 6 + 6
	factHead   = 1 + 1 + 6
)

// The fields that a fact can have.
const (
	hasSID = 1 << iota
	hasWhat
	hasBy
	hasScope
	hasKeyID
	hasRevocation
)

// What a caller gets for a fact that cannot be stored.
var (
	errLongFact  = errors.New("bolt: a fact's words can have at most 255 bytes each")
	errFactScope = errors.New("bolt: only a fact of kind marked has a scope")
)

// checkFact refuses a fact of a caller that could not be read back. (The store makes those
// of kind marked itself.)
func checkFact(f *fact.Fact) error {
	switch {
	case len(f.What) > maxWord || len(f.By) > maxWord || len(f.KeyID) > maxWord:
		return errLongFact
	case f.Scope != revocation.Scope{}:
		return errFactScope
	}
	return nil
}

// encodeChunk encodes up to chunkFacts facts whose numbers follow each other.
func encodeChunk(facts []fact.Fact, written int64) []byte {
	b := make([]byte, chunkHead, chunkHead+len(facts)*48)
	putMillis(b, written)
	var until int64
	var one []byte
	for i := range facts {
		until = max(until, millis(facts[i].Until))
		one = appendFact(one[:0], &facts[i])
		b = append(binary.AppendUvarint(b, uint64(len(one))), one...)
	}
	putMillis(b[6:], until)
	return b
}

func appendFact(b []byte, f *fact.Fact) []byte {
	fields := byte(0)
	for bit, there := range [...]bool{
		!f.SID.IsZero(), f.What != "", f.By != "", f.Scope.Kind != 0, f.KeyID != "", f.Revocation != 0,
	} {
		if there {
			fields |= 1 << bit
		}
	}
	b = append(b, byte(f.Kind), fields)
	b = appendMillis(b, millis(f.At))
	if fields&hasSID != 0 {
		b = append(b, f.SID[:]...)
	}
	if fields&hasWhat != 0 {
		b = appendReason(b, f.What)
	}
	if fields&hasBy != 0 {
		b = appendWord(b, f.By)
	}
	if fields&hasScope != 0 {
		b = binary.AppendUvarint(append(b, byte(f.Scope.Kind)), uint64(len(f.Scope.Name)))
		b = append(b, f.Scope.Name...)
	}
	if fields&hasKeyID != 0 {
		b = appendWord(b, f.KeyID)
	}
	if fields&hasRevocation != 0 {
		b = appendMillis(binary.AppendUvarint(b, f.Revocation), millis(f.Until))
	}
	return b
}

// decodeChunk returns the facts of a chunk.
func decodeChunk(key, b []byte) ([]fact.Fact, error) {
	if len(key) != 8 || len(b) <= chunkHead {
		return nil, fmt.Errorf("%w: facts %x", ErrDamaged, key)
	}
	number := binary.BigEndian.Uint64(key)
	facts := make([]fact.Fact, 0, 4)
	for b = b[chunkHead:]; len(b) > 0; number++ {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b[n:])) {
			return nil, fmt.Errorf("%w: fact %d is cut short", ErrDamaged, number)
		}
		f, err := decodeFact(b[n : n+int(size)]) //nolint:gosec // within b
		if err != nil {
			return nil, fmt.Errorf("fact %d: %w", number, err)
		}
		f.Number = number
		facts = append(facts, f)
		b = b[n+int(size):] //nolint:gosec // within b
	}
	return facts, nil
}

// errBadFact is wrapped with the number of the fact.
var errBadFact = fmt.Errorf("%w: its fields do not fit", ErrDamaged)

func decodeFact(b []byte) (f fact.Fact, err error) {
	if len(b) < factHead || b[0] == 0 || b[0] > byte(fact.Administered) || b[1] >= hasRevocation<<1 {
		return f, errBadFact
	}
	fields := b[1]
	f.Kind, f.At, b = fact.Kind(b[0]), fromMillis(getMillis(b[2:])), b[factHead:]
	if fields&hasSID != 0 {
		if len(b) < len(f.SID) {
			return f, errBadFact
		}
		b = b[copy(f.SID[:], b):]
	}
	if fields&hasWhat != 0 {
		if f.What, b, err = cutReason(b); err != nil {
			return f, err
		}
	}
	if fields&hasBy != 0 {
		if f.By, b, err = cutWord(b); err != nil {
			return f, err
		}
	}
	if fields&hasScope != 0 {
		if f.Scope, b, err = cutScope(b); err != nil {
			return f, err
		}
	}
	if fields&hasKeyID != 0 {
		if f.KeyID, b, err = cutWord(b); err != nil {
			return f, err
		}
	}
	if fields&hasRevocation != 0 {
		number, n := binary.Uvarint(b)
		if n <= 0 || number == 0 || len(b) < n+6 {
			return f, errBadFact
		}
		f.Revocation, f.Until, b = number, fromMillis(getMillis(b[n:])), b[n+6:]
	}
	if len(b) > 0 {
		return f, errBadFact
	}
	return f, nil
}

func cutScope(b []byte) (scope revocation.Scope, rest []byte, err error) {
	if len(b) < 2 || !isMark(revocation.Kind(b[0])) {
		return scope, nil, errBadFact
	}
	size, n := binary.Uvarint(b[1:])
	if n <= 0 || size > uint64(len(b[1+n:])) {
		return scope, nil, errBadFact
	}
	name, rest := b[1+n:1+n+int(size)], b[1+n+int(size):] //nolint:gosec // within b
	return revocation.Scope{Kind: revocation.Kind(b[0]), Name: string(name)}, rest, nil
}

// appendMillis appends six bytes.
func appendMillis(b []byte, ms int64) []byte {
	var raw [6]byte
	putMillis(raw[:], ms)
	return append(b, raw[:]...)
}

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
