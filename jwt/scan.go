package jwt

import (
	"fmt"
	"unicode/utf8"
)

const maxDepth = 16 // levels of objects and arrays in a token

// CheckJSON returns nil if data is one JSON value in a form that all parsers read in the
// same way (RFC 8259, stricter than I-JSON, RFC 7493): UTF-8 without a byte order mark, no
// unpaired surrogates, no names that are equal or differ only in case in one object, at
// most maxDepth levels of objects and arrays, numbers of at most 64 bytes that a float64
// can hold, and only white space after the value. Otherwise the error wraps [ErrDuplicate]
// or [ErrJSON].
func CheckJSON(data []byte, maxDepth int) error {
	s := scanner{text: string(data), levels: maxDepth}
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.value(); err != nil {
		return err
	}
	return s.end()
}

// member is a member of a scanned object: its name, and the offsets of its value.
type member struct {
	name       string
	start, end int
}

// scanObject checks text as [CheckJSON] does, with the depth of a token, and that it is an
// object. It appends the object's members to buf. If a name is duplicated, the last member
// has that name.
func scanObject(text string, buf []member) ([]member, error) {
	var names nameBuffer
	s := scanner{text: text, levels: maxDepth, members: buf, names: nameStack{names[:0]}}
	err := s.begin()
	if err == nil && s.peek() != '{' {
		err = s.fail("not an object")
	}
	if err == nil {
		err = s.object(true)
	}
	if err == nil {
		err = s.end()
	}
	return s.members, err
}

// scanner scans a text once, from the beginning to the end.
type scanner struct {
	text    string
	pos     int
	levels  int      // how many more objects and arrays may open
	members []member // of the outermost object, for scanObject
	names   nameStack
}

func (s *scanner) begin() error {
	if !utf8.ValidString(s.text) {
		return s.fail("not UTF-8")
	}
	s.space()
	return nil
}

func (s *scanner) end() error {
	s.space()
	if s.pos < len(s.text) {
		return s.fail("more than one value")
	}
	return nil
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrJSON, what, s.pos)
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

// next skips the comma or the end after an element, and reports whether another one follows.
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

// object scans an object, and collects its members when it is the outermost.
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
