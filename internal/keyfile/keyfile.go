// Package keyfile reads files that hold a key, and refuses those that other users can read,
// or can replace.
//
// [Read] is the one rule for all of them. It accepts
//
//   - a file without permissions for its group and others;
//   - a file that its group may read, if root or this user owns it and this process is in the
//     group. Kubernetes mounts a Secret like that, with defaultMode 0440 and fsGroup;
//   - a file in the folder that $CREDENTIALS_DIRECTORY names (systemd gives access to it by an
//     ACL, which looks like a permission of the group) or in /run/secrets (Docker and Swarm let
//     everybody in the container read it), unless group or others may write to it.
//
// It follows symbolic links, which a mounted Secret consists of, through folders in which only
// root or this user can place a link. The folder of a file that more than its owner may read
// must be such a folder, too.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrPermissions means that other users may read the file, or may replace it or a link
	// that leads to it.
	ErrPermissions = errors.New("the file is open to other users")
	// ErrNotRegular means that the path leads to a directory, a device or the like.
	ErrNotRegular = errors.New("not a regular file")
)

// maxAttempts is how often a path is followed anew because a file that it led to was removed
// meanwhile. Kubernetes does so when it updates a Secret.
const maxAttempts = 3

// Read returns the content of the file at path, at most its first limit bytes. The error names
// the path, and says how to correct the fault. It wraps [ErrPermissions], [ErrNotRegular] or the
// error of the system, such as [fs.ErrNotExist].
func Read(path string, limit int64) ([]byte, error) {
	return newRule().read(path, limit)
}

func (r rule) read(path string, limit int64) ([]byte, error) {
	var file *os.File
	var err error
	for range maxAttempts {
		if file, err = r.open(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return text, nil
}

// open opens the file that path leads to, if the rule accepts it.
func (r rule) open(path string) (*os.File, error) {
	target, err := r.follow(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(target, os.O_RDONLY|openFlags, 0) //nolint:gosec // the operator names the path
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", path, err)
	}
	if err := r.accept(file, path, target); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// accept checks an open file.
func (r rule) accept(file *os.File, path, target string) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is %s: %w; name a file", path, kind(info.Mode()), ErrNotRegular)
	}
	others := info.Mode().Perm() & 0o077
	if others == 0 {
		return nil
	}
	if err := r.checkFolder(filepath.Dir(target), info); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	owner, group := ownerOf(info)
	switch {
	case others&0o022 == 0 && r.isSecretFolder(filepath.Dir(target)):
		return nil
	case others == 0o040 && r.isTrusted(owner) && r.isMember(group):
		return nil
	}
	return fmt.Errorf("%s has mode %#o: %w; %s", path, info.Mode().Perm(), ErrPermissions, ways(path))
}

// ways says which files are accepted.
func ways(path string) string {
	return fmt.Sprintf("run: chmod 600 %q; or give it mode 0440, the owner root and a group of this process "+
		"(Kubernetes: defaultMode: 0440 and fsGroup), or put it into $CREDENTIALS_DIRECTORY (systemd: LoadCredential) "+
		"or /run/secrets (Docker), writable by its owner alone", path)
}

// kind describes a file that is not regular, for an error.
func kind(mode fs.FileMode) string {
	if mode.IsDir() {
		return "a directory"
	}
	return "a special file"
}
