// Package secret is the key-encryption secret: one line of text that an operator
// keeps in a file, and from which every symmetric key of the issuer is derived.
//
// [Load] reads a secret from a file and refuses a file that others can read.
// [Parse] reads one from memory. [Generate] makes the text of a new one.
// [Secret.Derive] gives an independent 32-byte key for each purpose.
//
// A [Secret] never shows its content: fmt, slog and encoding/json print
// "[redacted]", also when it is a field of something larger. No error of this
// package holds any part of a secret.
package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

const (
	// MinLen is the least length of a secret in bytes, without the whitespace around it.
	MinLen = 32
	// MaxLen is the greatest length of a secret's text or file in bytes.
	MaxLen = 4096
)

var (
	// ErrFormat is returned for a text that is not one line of [MinLen] to
	// [MaxLen] bytes of printable UTF-8.
	ErrFormat = errors.New("secret: not a usable secret")

	// ErrPermissions is returned by [Load] for a file that its group or others may use.
	ErrPermissions = errors.New("secret: the file is open to others")

	// ErrNotRegular is returned by [Load] for a path that is not a regular file:
	// a symbolic link, a directory, a device.
	ErrNotRegular = errors.New("secret: not a regular file")
)

// Secret is a key-encryption secret. The zero Secret holds nothing: see [Secret.IsZero].
type Secret struct {
	// fmt does not call the methods of unexported fields, and it follows one
	// pointer for some verbs. Behind two it prints an address.
	m **material
}

type material struct{ text []byte }

// Parse reads a secret from text. Whitespace around it is trimmed; what remains
// is one line of at least [MinLen] bytes of printable UTF-8. Anything else is an
// [ErrFormat] that says what is wrong and never quotes the text.
//
// The text is used as it is, so it must be as hard to guess as a random key:
// take one from [Generate], not a password.
func Parse(text []byte) (Secret, error) {
	if len(text) > MaxLen {
		return Secret{}, fmt.Errorf("%w: longer than %d bytes", ErrFormat, MaxLen)
	}
	line := bytes.TrimSpace(text)
	switch {
	case len(line) == 0:
		return Secret{}, fmt.Errorf("%w: empty", ErrFormat)
	case !utf8.Valid(line):
		return Secret{}, fmt.Errorf("%w: not UTF-8 text", ErrFormat)
	case bytes.ContainsAny(line, "\r\n"):
		return Secret{}, fmt.Errorf("%w: more than one line", ErrFormat)
	case bytes.ContainsFunc(line, unprintable):
		return Secret{}, fmt.Errorf("%w: unprintable characters", ErrFormat)
	case len(line) < MinLen:
		return Secret{}, fmt.Errorf("%w: shorter than %d bytes", ErrFormat, MinLen)
	}
	m := &material{text: bytes.Clone(line)}
	return Secret{m: &m}, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// Generate makes the text of a new secret: 32 random bytes as unpadded base64url.
func Generate() (text string) {
	var key [32]byte
	// crypto/rand.Read never fails: it stops the program instead.
	_, _ = rand.Read(key[:])
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// IsZero reports whether s holds no secret.
func (s Secret) IsZero() bool { return s.m == nil }

// Derive returns the 32-byte key of one purpose, by HKDF-SHA-256 (RFC 5869)
// without salt and with the info "issuer " + purpose. Keys of different purposes
// tell nothing about each other or about the secret. It panics on the zero
// Secret, because a key made of nothing would be known to everyone.
func (s Secret) Derive(purpose string) [32]byte {
	if s.IsZero() {
		panic("secret: Derive of the zero Secret")
	}
	var key [32]byte
	out, err := hkdf.Key(sha256.New, (*s.m).text, nil, "issuer "+purpose, len(key))
	if err != nil {
		// Only a length above 255 hashes, or FIPS rules that 32 bytes meet, can fail.
		panic("secret: " + err.Error())
	}
	copy(key[:], out)
	return key
}

// ID is a short public name of the secret: what was sealed or signed under it
// says so by this byte. It is derived, so it tells nothing about the secret. Two
// secrets share an ID once in 256 pairs: a reader tries all that match.
func (s Secret) ID() byte { return s.Derive("secret id")[0] }
