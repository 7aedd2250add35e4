package client

import (
	"errors"
	"slices"
)

// maxName is the length of the longest name in bytes.
const maxName = 64

// ErrName means that a text cannot be the name of a client.
var ErrName = errors.New("client: a name has 1 to 64 letters, digits, dots, dashes or underscores and begins with a letter or digit")

// Key is a service key as the issuer knows it.
type Key struct {
	// Name appears in logs, and is the client_id of the sessions that the key creates.
	// [CheckName] says what is allowed.
	Name string
	// SHA256 is the hash of the key's text. The text itself is stored nowhere.
	SHA256 Hash
	// Scopes are what the key may do.
	Scopes []Scope
}

// Allows reports whether the key has the scope.
func (k Key) Allows(scope Scope) bool { return slices.Contains(k.Scopes, scope) }

// CheckName returns [ErrName] when name cannot be the name of a client.
func CheckName(name string) error {
	if name == "" || len(name) > maxName || !isAlphanumeric(name[0]) {
		return ErrName
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return ErrName
		}
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
