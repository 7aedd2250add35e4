package bolt

import (
	"fmt"

	"issuer.example/session"
)

// reasonCodes are the words that are stored as one byte: the code is the place in the list,
// from 1. A new word goes to the end; none is ever moved or removed. A word that is not in
// the list is stored as 0, its length (1) and its text.
var reasonCodes = [...]session.Reason{
	session.ReasonSignOut, session.ReasonUserRevoked, session.ReasonUserRevokedAll,
	session.ReasonServiceRevoked, session.ReasonAdminRevoked, session.ReasonTokenRevoked,
	session.ReasonRefreshReuse, session.ReasonLimit, session.ReasonExpired, session.ReasonIdle,
	session.ReasonBindingMismatch, session.ReasonKeyRevoked, session.ReasonClientRevoked,
	session.ReasonReplaced, session.ReasonHandoffReuse,
}

// maxWord is how long a stored word can be, in bytes.
const maxWord = 255

// appendReason appends a stored word, cut to [maxWord].
func appendReason(b []byte, reason string) []byte {
	for i, r := range reasonCodes {
		if string(r) == reason {
			return append(b, byte(i+1))
		}
	}
	return appendWord(append(b, 0), reason)
}

// cutReason reads a word and returns what follows it.
func cutReason(b []byte) (reason string, rest []byte, err error) {
	if len(b) == 0 {
		return "", nil, fmt.Errorf("%w: a reason is missing", ErrDamaged)
	}
	code, b := int(b[0]), b[1:]
	if code > len(reasonCodes) {
		return "", nil, fmt.Errorf("%w: unknown reason %d", ErrDamaged, code)
	}
	if code > 0 {
		return string(reasonCodes[code-1]), b, nil
	}
	return cutWord(b)
}

// appendWord appends the length of a word (1) and its text, cut to [maxWord].
func appendWord(b []byte, word string) []byte {
	word = word[:min(len(word), maxWord)]
	b = append(b, byte(len(word))) //nolint:gosec // at most maxWord
	return append(b, word...)
}

func cutWord(b []byte) (word string, rest []byte, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, fmt.Errorf("%w: a word is cut short", ErrDamaged)
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], nil
}
