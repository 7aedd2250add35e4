// Package sid is the session identifier: a UUIDv7 (RFC 9562 §5.7) that grows strictly
// within one store.
//
// A sid names a session in lists, admin calls and the `sid` claim. It is public
// and never a credential. Because identifiers grow, "every session of this user
// up to here" is one comparison ([ID.Compare]): revocation marks are that, and sessions that
// begin together lie together on disk.
//
// [Next] makes identifiers; [Parse] reads them back, in canonical form only.
package sid

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// ErrInvalid is returned by [Parse] for anything that is not the canonical text
// of a UUIDv7.
var ErrInvalid = errors.New("sid: not a session id")

// textLen is the length of the canonical text form, "xxxxxxxx-xxxx-7xxx-yxxx-xxxxxxxxxxxx".
const textLen = 36

// ID is a session identifier. The zero ID names no session and sorts below all others.
type ID [16]byte

// Parse reads the canonical text form: 36 characters, lower-case hex, version 7,
// RFC 9562 variant. Any other spelling is [ErrInvalid], so that one session has
// one name.
func Parse(s string) (ID, error) {
	var id ID
	if len(s) != textLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, ErrInvalid
	}
	var digits [32]byte
	n := 0
	for i := range textLen {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ID{}, ErrInvalid
		}
		digits[n] = c
		n++
	}
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return ID{}, ErrInvalid
	}
	if id[6]>>4 != 7 || id[8]>>6 != 0b10 {
		return ID{}, ErrInvalid
	}
	return id, nil
}

// String is the canonical text form.
func (id ID) String() string {
	text, _ := id.AppendText(make([]byte, 0, textLen)) // never fails
	return string(text)
}

// AppendText appends the canonical text form to b. It never fails.
func (id ID) AppendText(b []byte) ([]byte, error) {
	b = hex.AppendEncode(b, id[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:]), nil
}

// MarshalText is the canonical text form, for encoding/json and its like.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(make([]byte, 0, textLen)) }

// UnmarshalText is [Parse].
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Compare orders identifiers by age: negative if id is older than other, 0 if they
// are the same, positive if id is newer.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Before is the greatest identifier below id: the bound of a mark over everything that is
// older than id. The zero ID is its own Before.
func (id ID) Before() ID {
	ticks, tail := id.ticks(), binary.BigEndian.Uint64(id[8:])&tailMask
	switch {
	case tail > 0:
		tail--
	case ticks > 0:
		ticks, tail = ticks-1, tailMask
	default:
		return id
	}
	return compose(ticks, tail)
}

// IsZero reports whether id names no session.
func (id ID) IsZero() bool { return id == ID{} }

// Time is the instant held in the identifier, in whole milliseconds, UTC. After a
// step of the clock it can run ahead of the clock that made it (see [Generator]).
func (id ID) Time() time.Time { return time.UnixMilli(id.millis()).UTC() }

func (id ID) millis() int64 {
	return int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 |
		int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
}
