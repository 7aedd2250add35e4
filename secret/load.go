package secret

import (
	"errors"
	"fmt"
	"io/fs"

	"issuer.example/internal/keyfile"
)

// Load reads the secret in the file at path. It must be a regular file (or the error wraps
// [ErrNotRegular]) that no other user can read or replace ([ErrPermissions]), and must contain
// what [Parse] accepts ([ErrFormat]). Secrets that Kubernetes, systemd and Docker mount are
// accepted. For a missing file the error wraps [fs.ErrNotExist]. The error names the path,
// says how to correct the fault, and never contains the content.
func Load(path string) (Secret, error) {
	// Parse refuses a file with this one byte more than MaxLen.
	text, err := keyfile.Read(path, MaxLen+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Secret{}, fmt.Errorf("secret file %q: %w; make one with mode 0600 or name another path", path, err)
	case err != nil:
		return Secret{}, fmt.Errorf("secret file: %w", err)
	}
	s, err := Parse(text)
	if err != nil {
		return Secret{}, fmt.Errorf("secret file %q: %w; put one line of at least %d random characters in it", path, err, MinLen)
	}
	return s, nil
}
