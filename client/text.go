package client

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

const (
	// KeyPrefix begins the text of every service key. It distinguishes a key from a
	// token, and lets secret scanners recognise a leaked key.
	KeyPrefix = "sk_"
	// KeyLen is the length of the text of a service key in bytes: the prefix and 43
	// characters of base64url, which hold 32 random bytes.
	KeyLen = len(KeyPrefix) + 43
)

// ErrKeyFormat means that a text is not a service key.
var ErrKeyFormat = errors.New(`client: not a service key, which is "sk_" and 43 characters of base64url`)

// GenerateKey returns the text of a new service key, made of 32 random bytes.
func GenerateKey() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return KeyPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
}

// ParseKey returns text when it is a service key: the prefix and 43 characters of the
// base64url alphabet (RFC 4648 §5), without white space around it. Otherwise it returns
// [ErrKeyFormat], which does not quote the text.
func ParseKey(text string) (string, error) {
	if len(text) != KeyLen || !strings.HasPrefix(text, KeyPrefix) {
		return "", ErrKeyFormat
	}
	for i := len(KeyPrefix); i < len(text); i++ {
		if !isBase64URL(text[i]) {
			return "", ErrKeyFormat
		}
	}
	return text, nil
}

func isBase64URL(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '_'
}
