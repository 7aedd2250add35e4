package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrHashFormat means that a text is not the hash of a service key.
var ErrHashFormat = errors.New("client: not a SHA-256 hash, which is 64 lower-case hex digits")

// Hash is the SHA-256 of the whole text of a service key, prefix included. A key holds 256
// random bits, so the hash needs neither a salt nor a slow function.
type Hash [sha256.Size]byte

// HashKey hashes the text of a service key. It does not check its form.
func HashKey(text string) Hash { return sha256.Sum256([]byte(text)) }

// ParseHash reads the hex form that [Hash.String] writes. Upper-case digits are refused
// with [ErrHashFormat] like any other text, so that equal hashes have equal texts.
func ParseHash(text string) (Hash, error) {
	var h Hash
	if len(text) != hex.EncodedLen(len(h)) || strings.ToLower(text) != text {
		return Hash{}, ErrHashFormat
	}
	if _, err := hex.Decode(h[:], []byte(text)); err != nil {
		return Hash{}, ErrHashFormat
	}
	return h, nil
}

// String returns the hash as 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }
