package jwt

import (
	"fmt"
	"strings"
)

// MaxScopeSize is the size in bytes of the longest scope that [ValidScope] accepts.
const MaxScopeSize = 1 << 10

// ValidScope reports why s can't be the claim scope (RFC 9068 §2.2.3): it has 1 to
// [MaxScopeSize] bytes and consists of scope tokens with one space between them (RFC 6749
// §3.3). A scope token has one or more printable ASCII characters without quotation mark,
// backslash and space. The error wraps [ErrClaims].
func ValidScope(s string) error {
	if len(s) > MaxScopeSize {
		return fmt.Errorf("%w: scope has %d bytes, more than %d", ErrClaims, len(s), MaxScopeSize)
	}
	for token := range strings.SplitSeq(s, " ") {
		if token == "" {
			return fmt.Errorf("%w: scope is empty, or has a space that does not separate two scope tokens", ErrClaims)
		}
		if strings.ContainsFunc(token, func(r rune) bool { return r < '!' || r > '~' || r == '"' || r == '\\' }) {
			return fmt.Errorf("%w: scope has a character that a scope token can't have", ErrClaims)
		}
	}
	return nil
}
