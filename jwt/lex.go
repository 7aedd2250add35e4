package jwt

import (
	"strconv"
	"strings"
)

const maxNumber = 64 // bytes of a number

// peek returns the next byte, and 0 at the end: valid JSON has no zero byte.
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

func (s *scanner) literal() error {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.text[s.pos:], word) {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("not a value")
}

// quoted scans a string and returns its value.
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

// number scans a number (RFC 8259 §6) that a float64 can hold.
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

// skip skips one of these bytes and reports whether it was there.
func (s *scanner) skip(bytes string) bool {
	if s.pos < len(s.text) && strings.IndexByte(bytes, s.text[s.pos]) >= 0 {
		s.pos++
		return true
	}
	return false
}

// digits skips digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
