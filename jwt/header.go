package jwt

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxKeyID = 128 // bytes of kid
	maxType  = 128 // bytes of typ
)

// parseHeader parses the JSON of a protected header. It has alg and may have typ and kid,
// and no other member.
func parseHeader(text string) (Header, error) {
	var buf [4]member
	members, err := scanObject(text, buf[:0])
	if err != nil {
		return Header{}, headerError(err, members)
	}
	if err := allowedMembers(members); err != nil {
		return Header{}, err
	}
	var header Header
	for _, m := range members {
		value := text[m.start:m.end]
		switch m.name {
		case "alg":
			err = header.setAlgorithm(value)
		case "kid":
			err = header.setKeyID(value)
		case "typ":
			err = header.setType(value)
		}
		if err != nil {
			return Header{}, err
		}
	}
	if header.Algorithm == "" {
		return Header{}, fmt.Errorf("%w: alg is missing", ErrAlgorithm)
	}
	return header, nil
}

// headerError returns the error for a header that is not strict JSON. For a second kid it
// also wraps ErrKeyID.
func headerError(err error, members []member) error {
	if !errors.Is(err, ErrDuplicate) {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	if n := len(members); n > 0 && strings.EqualFold(members[n-1].name, "kid") {
		return fmt.Errorf("%w: %w", ErrKeyID, err)
	}
	return err
}

// allowedMembers returns an error for a header with a member other than alg, kid and typ.
// Of several such members it reports first one that carries or names a key or changes
// what is signed, then crit, then cty, then any other.
func allowedMembers(members []member) error {
	var crit, cty, unknown bool
	for _, m := range members {
		switch m.name {
		case "alg", "kid", "typ":
		case "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip", "enc", "epk", "p2c", "p2s":
			return fmt.Errorf("%w: it has %s", ErrHeader, m.name)
		case "crit":
			crit = true
		case "cty":
			cty = true
		default:
			unknown = true
		}
	}
	switch {
	case crit:
		return ErrCritical
	case cty:
		return ErrContentType
	case unknown:
		return fmt.Errorf("%w: it has a member other than alg, kid and typ", ErrHeader)
	}
	return nil
}

func (h *Header) setAlgorithm(value string) error {
	name, ok := stringValue(value)
	if !ok {
		return fmt.Errorf("%w: alg is not a string", ErrAlgorithm)
	}
	if h.Algorithm, ok = headerAlgorithm(name); !ok {
		return ErrAlgorithm
	}
	return nil
}

func (h *Header) setKeyID(value string) error {
	id, ok := stringValue(value)
	if !ok || !validKeyID(id) {
		return fmt.Errorf("%w: not a string of 1 to %d printable ASCII characters", ErrKeyID, maxKeyID)
	}
	h.KeyID = id
	return nil
}

func (h *Header) setType(value string) error {
	typ, ok := stringValue(value)
	if !ok || !validType(typ) {
		return fmt.Errorf("%w: not a string of 1 to %d printable ASCII characters", ErrType, maxType)
	}
	h.Type = typ
	return nil
}

func validKeyID(id string) bool { return len(id) <= maxKeyID && visibleASCII(id) }

func validType(typ string) bool { return len(typ) <= maxType && visibleASCII(typ) }

// visibleASCII reports whether s is not empty and has no spaces, controls or characters
// beyond ASCII.
func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// trimType removes the prefix that RFC 7515 §4.1.9 lets a typ omit.
func trimType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}
