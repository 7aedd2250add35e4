// Package secret handles the key-encryption secret: one line of text that an operator
// keeps in a file, and from which every symmetric key of the issuer is derived.
//
// [Load] reads a secret from a file and refuses a file that other users can read.
// [Parse] parses one. [Generate] makes the text of a new one. [Secret.Derive] returns an
// independent 32-byte key for each purpose.
//
// A [Secret] never shows its content: fmt, log/slog and encoding/json print "[redacted]",
// also when it is a field of a struct. No error of this package contains a part of a
// secret.
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

	"issuer.example/internal/keyfile"
)

const (
	// MinLen is the minimum length of a secret in bytes, without surrounding whitespace.
	MinLen = 32
	// MaxLen is the maximum length of a secret's text or file in bytes.
	MaxLen = 4096
)

var (
	// ErrFormat is returned for a text that is not one line of [MinLen] to
	// [MaxLen] bytes of printable UTF-8.
	ErrFormat = errors.New("secret: not a valid secret")

	// ErrPermissions is returned by [Load] for a file that other users can read or replace.
	ErrPermissions = keyfile.ErrPermissions

	// ErrNotRegular is returned by [Load] for a path that leads, for example, to a directory.
	ErrNotRegular = keyfile.ErrNotRegular
)

// Secret is a key-encryption secret. The zero Secret is none: see [Secret.IsZero].
type Secret struct {
	// fmt does not call the methods of unexported fields, and for some verbs it prints
	// what a pointer points to. For a pointer to a pointer it prints an address.
	m **material
}

type material struct{ text []byte }

// Parse parses a secret. Whitespace around it is trimmed. The rest must be one line of at
// least [MinLen] bytes of printable UTF-8. The error wraps [ErrFormat], says what is wrong
// and never quotes the text.
//
// There is no password hashing, so the text must be as hard to guess as a random key: use
// one from [Generate], not a password.
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

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.m == nil }

// Derive returns the 32-byte key for one purpose, by HKDF-SHA-256 (RFC 5869) without salt
// and with the info "issuer " + purpose. A key reveals nothing about the secret or about
// the keys for other purposes. Derive panics on the zero Secret, whose keys anyone could
// compute.
func (s Secret) Derive(purpose string) [32]byte {
	if s.IsZero() {
		panic("secret: Derive of the zero Secret")
	}
	var key [32]byte
	out, err := hkdf.Key(sha256.New, (*s.m).text, nil, "issuer "+purpose, len(key))
	if err != nil {
		// It fails only for more than 255 hashes of output, or a key that is too short
		// for FIPS 140, which MinLen bytes are not.
		panic("secret: " + err.Error())
	}
	copy(key[:], out)
	return key
}

// ID returns a public hint of one byte that is stored with what was encrypted or signed
// with the secret. It is derived, so it reveals nothing about the secret. Two secrets have
// the same ID in 1 of 256 cases, so a reader must try all that match.
func (s Secret) ID() byte { return s.Derive("secret id")[0] }
