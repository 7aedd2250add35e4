package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"issuer.example/client"
)

// errPermissions means that group or others may read or write a file that holds a key.
var errPermissions = errors.New("the file is open to other users")

// readServiceKey reads the service key in a file, with white space around it ignored. The
// file must be closed to group and others ([errPermissions]). No error quotes the key.
func readServiceKey(path string) (string, error) {
	text, err := readPrivate(path)
	if err != nil {
		return "", fmt.Errorf("reading a service key: %w", err)
	}
	key, err := client.ParseKey(strings.TrimSpace(text))
	if err != nil {
		return "", fmt.Errorf("reading a service key: %s: %w", path, err)
	}
	return key, nil
}

// readPrivate reads the first KiB of a file that is closed to group and others, which is
// more than any key has.
func readPrivate(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s: %w; run: chmod 600 %s", path, errPermissions, path)
	}
	const limit = 1024
	text, err := io.ReadAll(io.LimitReader(f, limit))
	return string(text), err
}

// writePrivate writes text and a newline to a new file of mode 0600. It creates the folder
// with mode 0700 when there is none. When the file exists, the error is [os.ErrExist].
func writePrivate(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("creating the folder of a secret: %w", err)
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
