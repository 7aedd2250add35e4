// Package sid defines the session identifier: a UUIDv7 (RFC 9562 §5.7). Identifiers of
// one [Generator] increase strictly.
//
// A sid identifies a session in lists, admin calls and the sid claim. It is public and
// never a credential. Because identifiers increase, a revocation mark covers "every session
// of this user up to this one" with one comparison ([ID.Compare]), and sessions that were
// created together are stored together.
//
// [Generator] makes identifiers; [Parse] accepts their canonical form only.
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

// ID is a session identifier. The zero ID identifies no session and is less than all others.
type ID [16]byte

// Parse parses the canonical text form: 36 characters, lower-case hex, version 7 and the
// variant of RFC 9562. For any other form it returns [ErrInvalid], so that a session has
// exactly one identifier.
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

// String returns the canonical text form.
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

// MarshalText implements [encoding.TextMarshaler] with the canonical text form.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(make([]byte, 0, textLen)) }

// UnmarshalText implements [encoding.TextUnmarshaler] with [Parse].
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Compare returns a negative number if id is less, and so older, than other, 0 if they are
// equal, and a positive number if id is greater.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Before returns the greatest identifier that is less than id: the bound of a mark that
// covers everything older than id. Before of the zero ID is the zero ID.
func (id ID) Before() ID {
	head, tail := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])&tailMask
	ticks := head>>16<<12 | head&0x0fff
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

// IsZero reports whether id is the zero ID.
func (id ID) IsZero() bool { return id == ID{} }

// Time returns the time in the identifier, in whole milliseconds, UTC. It can be later than
// the time of creation when the clock was set back (see [Generator]).
func (id ID) Time() time.Time { return time.UnixMilli(id.millis()).UTC() }

func (id ID) millis() int64 {
	return int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 |
		int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
}
