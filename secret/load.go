package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Load reads the secret in the file at path. The file must be a regular file and not a
// symbolic link (or the error wraps [ErrNotRegular]), must have no permissions for group
// and others ([ErrPermissions]), and must contain what [Parse] accepts ([ErrFormat]). For
// a missing file the error wraps [fs.ErrNotExist]. The error names the path, says how to
// correct the fault, and never contains the content.
func Load(path string) (Secret, error) {
	file, err := openRegular(path)
	if err != nil {
		return Secret{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	// Parse refuses a file with this one byte more than MaxLen.
	text, err := io.ReadAll(io.LimitReader(file, MaxLen+1))
	if err != nil {
		return Secret{}, fmt.Errorf("reading the secret file: %w", err)
	}
	s, err := Parse(text)
	if err != nil {
		return Secret{}, fmt.Errorf("secret file %q: %w; put one line of at least %d random characters in it", path, err, MinLen)
	}
	return s, nil
}

// openRegular opens path, and checks the opened file too, in case another file was put at
// path in between.
func openRegular(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("secret file %q: %w; make one with mode 0600 or name another path", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secret file: %w", err)
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("secret file %q is %s: %w; name the file itself", path, kind(before.Mode()), ErrNotRegular)
	}
	file, err := os.Open(path) //nolint:gosec // the operator names the path, and it is checked below
	if err != nil {
		return nil, fmt.Errorf("opening the secret file: %w", err)
	}
	if err := checkOpened(file, before, path); err != nil {
		_ = file.Close() // nothing was written, so nothing is lost
		return nil, err
	}
	return file, nil
}

// checkOpened checks that an open file is the one that was there before, and that no other
// user has access to it.
func checkOpened(file *os.File, before fs.FileInfo, path string) error {
	opened, err := file.Stat()
	if err != nil {
		return fmt.Errorf("reading the secret file: %w", err)
	}
	if !os.SameFile(before, opened) {
		return fmt.Errorf("secret file %q changed while it was opened: %w; try again", path, ErrNotRegular)
	}
	if mode := opened.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("secret file %q has mode %#o: %w; run: chmod 600 %q", path, mode, ErrPermissions, path)
	}
	return nil
}

// kind describes a file that is not regular, for an error.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsDir():
		return "a directory"
	default:
		return "a special file"
	}
}
