// Package credential makes the service keys of the issuer and keeps secrets in files
// that only their owner can read.
package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Prefix begins every service key, so that scanners recognise a leaked one.
const Prefix = "sk_"

// ErrFormat is returned for text that is not a service key.
var ErrFormat = errors.New(`not a service key: "sk_" and 43 characters of base64url`)

// ErrPermissions is returned for a file that group or others may touch.
var ErrPermissions = errors.New("the file is open to other users")

var format = regexp.MustCompile(`^sk_[A-Za-z0-9_-]{43}$`)

// New is a service key of 32 random bytes: "sk_" and 43 characters of base64url.
func New() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return Prefix + base64.RawURLEncoding.EncodeToString(raw[:])
}

// Hash is what a configuration holds of a key: the SHA-256 of its whole text, in hex.
func Hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Parse checks that text is a service key, with white space around it dropped. The error
// does not quote it.
func Parse(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !format.MatchString(text) {
		return "", ErrFormat
	}
	return text, nil
}

// ReadFile reads the service key in a file that is closed to group and others.
func ReadFile(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return "", fmt.Errorf("reading a service key: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("reading a service key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("reading a service key: %s: %w; run: chmod 600 %s", path, ErrPermissions, path)
	}
	const enough = 1024
	text, err := io.ReadAll(io.LimitReader(f, enough))
	if err != nil {
		return "", fmt.Errorf("reading a service key: %w", err)
	}
	key, err := Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("reading a service key: %s: %w", path, err)
	}
	return key, nil
}

// WriteFile writes text and a newline to a new file of mode 0600, in a folder that it
// makes with mode 0700 if need be. A file that exists already is os.ErrExist.
func WriteFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of a secret: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the path
	if err != nil {
		return fmt.Errorf("writing a secret: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing a secret: %w", err)
	}
	return nil
}
