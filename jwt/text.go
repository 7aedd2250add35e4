package jwt

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeSize returns the length of the escape sequence at the beginning of text, and 0 when
// it is invalid. A surrogate pair counts as one sequence.
func escapeSize(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		_, size := escapedRune(text)
		return size
	default:
		return 0
	}
}

// escapedRune decodes \uXXXX, or \uXXXX\uXXXX for a surrogate pair, and returns its length.
// An unpaired surrogate has length 0.
func escapedRune(text string) (rune, int) {
	r, ok := hexRune(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hexRune(text[6:])
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func hexRune(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(text[2:6]) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape decodes the escape sequences of a scanned string without its quotes.
func unescape(inner string) string {
	var out strings.Builder
	out.Grow(len(inner))
	for {
		plain, rest, found := strings.Cut(inner, `\`)
		out.WriteString(plain)
		if !found {
			return out.String()
		}
		size := 1
		switch c := rest[0]; c {
		case 'b':
			out.WriteByte('\b')
		case 'f':
			out.WriteByte('\f')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 't':
			out.WriteByte('\t')
		case 'u':
			r, length := escapedRune(inner[len(plain):])
			out.WriteRune(r)
			size = length - 1
		default:
			out.WriteByte(c)
		}
		inner = rest[size:]
	}
}

// stringValue returns the value of a scanned string, and false if it is not a string.
func stringValue(value string) (string, bool) {
	if value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	if strings.IndexByte(inner, '\\') >= 0 {
		return unescape(inner), true
	}
	return inner, true
}

// appendString appends s, which must be UTF-8, as a JSON string.
func appendString(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
