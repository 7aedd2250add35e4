package jwt

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth  = 16 // levels of objects and arrays in a token
	maxNumber = 64 // bytes of a number
)

// CheckJSON reports why data is not one JSON value in strict form (RFC 8259, and stricter
// than I-JSON, RFC 7493): UTF-8 without a byte order mark, no unpaired surrogates, no
// names that are equal or differ only in case in one object, at most maxDepth levels of
// objects and arrays, numbers of at most 64 bytes that a float64 can hold, and nothing after
// the value but white space. What it accepts, any other parser reads in the same way. The
// error wraps [ErrDuplicate] or [ErrJSON].
func CheckJSON(data []byte, maxDepth int) error {
	s := scanner{text: string(data), levels: maxDepth}
	return s.document(s.value)
}

// member is a member of a scanned object: its name, and where its value lies in the text.
type member struct {
	name       string
	start, end int
}

// scanObject checks text as [CheckJSON] does, and that it is an object. It appends the
// object's members to room; if a name is duplicated, the member of that name comes last.
func scanObject(text string, levels int, room []member) ([]member, error) {
	s := scanner{text: text, levels: levels, members: room}
	err := s.document(func() error {
		if s.peek() != '{' {
			return s.fail("not an object")
		}
		return s.object(true)
	})
	return s.members, err
}

// scanner walks over a text once.
type scanner struct {
	text    string
	pos     int
	levels  int      // how many more may open
	members []member // of the outermost object, when they are asked for
	names   nameStack
}

func (s *scanner) document(root func() error) error {
	if !utf8.ValidString(s.text) {
		return s.fail("not UTF-8")
	}
	s.space()
	if err := root(); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.text) {
		return s.fail("more than one value")
	}
	return nil
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrJSON, what, s.pos)
}

// peek returns the next byte, 0 at the end: no byte of valid JSON is 0.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '"':
		_, err := s.quoted()
		return err
	case c == '{':
		return s.object(false)
	case c == '[':
		return s.array()
	case c == '-' || isDigit(c):
		return s.number()
	default:
		return s.literal()
	}
}

func (s *scanner) literal() error {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.text[s.pos:], word) {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("not a value")
}

func (s *scanner) open() error {
	if s.levels <= 0 {
		return s.fail("too deep")
	}
	s.levels--
	s.pos++
	s.space()
	return nil
}

func (s *scanner) close() {
	s.levels++
	s.pos++
}

// next steps over what follows an element and reports whether another one comes.
func (s *scanner) next(end byte) (bool, error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true, nil
	case end:
		s.close()
		return false, nil
	default:
		return false, s.fail("no comma and no end")
	}
}

func (s *scanner) array() error {
	if err := s.open(); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.close()
		return nil
	}
	for more := true; more; {
		err := s.value()
		if err == nil {
			more, err = s.next(']')
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// object scans an object, and notes its members when it is the one asked for.
func (s *scanner) object(outermost bool) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.close()
		return nil
	}
	names := s.names.open()
	for more := true; more; {
		m, err := s.member(&names, outermost)
		if err != nil {
			return err
		}
		if outermost {
			s.members = append(s.members, m)
		}
		if more, err = s.next('}'); err != nil {
			return err
		}
	}
	s.names.close(names)
	return nil
}

func (s *scanner) member(names *nameSet, outermost bool) (member, error) {
	if s.peek() != '"' {
		return member{}, s.fail("no name")
	}
	name, err := s.quoted()
	if err != nil {
		return member{}, err
	}
	if !s.names.add(names, name) {
		if outermost {
			s.members = append(s.members, member{name: name})
		}
		return member{}, fmt.Errorf("%w at byte %d", ErrDuplicate, s.pos)
	}
	s.space()
	if s.peek() != ':' {
		return member{}, s.fail("no colon")
	}
	s.pos++
	s.space()
	start := s.pos
	err = s.value()
	return member{name, start, s.pos}, err
}

// quoted scans a string and returns what it means.
func (s *scanner) quoted() (string, error) {
	s.pos++
	start, escaped := s.pos, false
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			inner := s.text[start:s.pos]
			s.pos++
			if escaped {
				return unescape(inner), nil
			}
			return inner, nil
		case c == '\\':
			escaped = true
			size := escapeSize(s.text[s.pos:])
			if size == 0 {
				return "", s.fail("bad escape")
			}
			s.pos += size
		case c < ' ':
			return "", s.fail("control character")
		default:
			s.pos++
		}
	}
	return "", s.fail("unended string")
}

// number scans a number of RFC 8259 §6 that every reader can hold.
func (s *scanner) number() error {
	start := s.pos
	s.skip("-")
	if !s.skip("0") && !s.digits() {
		return s.fail("bad number")
	}
	if s.skip(".") && !s.digits() {
		return s.fail("bad fraction")
	}
	exponent := s.skip("eE")
	if exponent {
		s.skip("+-")
		if !s.digits() {
			return s.fail("bad exponent")
		}
	}
	literal := s.text[start:s.pos]
	if len(literal) > maxNumber {
		return s.fail("number too long")
	}
	if !exponent {
		return nil
	}
	if _, err := strconv.ParseFloat(literal, 64); err != nil {
		return s.fail("number out of range")
	}
	return nil
}

// skip steps over one of these bytes and reports whether it was there.
func (s *scanner) skip(bytes string) bool {
	if s.pos < len(s.text) && strings.IndexByte(bytes, s.text[s.pos]) >= 0 {
		s.pos++
		return true
	}
	return false
}

// digits steps over digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
