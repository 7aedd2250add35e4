package session

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// shortestJSON returns JSON without the white space and the escapes that it does not need. Encoders write
// <, > and & (Go), / (PHP) or everything beyond ASCII (Python) as escapes of up to twelve bytes, which would
// count towards the limits and travel in every token. The error means that text is no JSON.
func shortestJSON(text []byte) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, err
	}
	text = compact.Bytes()
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if text[0] != '\\' {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		if r, n := needlessEscape(text); n > 0 {
			out, text = utf8.AppendRune(out, r), text[n:]
			continue
		}
		out, text = append(out, text[:2]...), text[2:]
	}
	return out, nil
}

// needlessEscape returns the character that an escape at the beginning of text stands for, and how long the
// escape is; 0 if JSON needs it, or it is half of a pair.
func needlessEscape(text []byte) (r rune, n int) {
	switch text[1] {
	case '/':
		return '/', 2
	case 'u':
	default:
		return 0, 0
	}
	r, n = unit(text), 6
	if utf16.IsSurrogate(r) {
		r, n = utf16.DecodeRune(r, unit(text[6:])), 12
	}
	if r < ' ' || r == '"' || r == '\\' || r == utf8.RuneError && n == 12 {
		return 0, 0
	}
	return r, n
}

// unit returns the UTF-16 code unit that text begins with as an escape: \u and four hexadecimal digits. It is 0
// if there is no escape.
func unit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(v)
}
