package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"issuer.example/client"
	"issuer.example/internal/keyfile"
)

// maxKeyFile is how much of a file is read, in bytes: more than any key has.
const maxKeyFile = 1024

// readServiceKey reads the service key in a file that other users can neither read nor replace
// ([keyfile.ErrPermissions]), with white space around it ignored. No error quotes the key.
func readServiceKey(path string) (string, error) {
	text, err := readPrivate(path)
	if err != nil {
		return "", fmt.Errorf("reading a service key: %w", err)
	}
	key, err := client.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return "", fmt.Errorf("reading a service key: %s: %w", path, err)
	}
	return key, nil
}

// readPrivate reads a file by the rule of [keyfile.Read], or the pipe that a shell makes of
// <(command), to which no other user has access.
func readPrivate(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 || info.Mode().Perm()&0o077 != 0 {
		return keyfile.Read(path, maxKeyFile)
	}
	pipe, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return nil, err
	}
	defer func() { _ = pipe.Close() }()
	return io.ReadAll(io.LimitReader(pipe, maxKeyFile))
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
