package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many links a path may lead through, as on Linux.
const maxLinks = 40

// errTooManyLinks means that links lead in a circle.
var errTooManyLinks = errors.New("too many symbolic links")

// follow returns the absolute path, without links, of the file that path leads to. A link in a
// folder where others could have placed it is refused.
func (r rule) follow(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%s cannot be found: %w", path, err)
	}
	folder, rest, links := "/", strings.Split(absolute, "/"), 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			folder = filepath.Dir(folder)
			continue
		}
		next := filepath.Join(folder, name)
		info, err := os.Lstat(next)
		if err != nil {
			return "", fmt.Errorf("%s cannot be opened: %w", path, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			folder = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s cannot be opened: %w", path, errTooManyLinks)
		}
		target, err := r.readLink(next, info)
		if err != nil {
			return "", fmt.Errorf("%s leads through the symbolic link %s: %w", path, next, err)
		}
		if filepath.IsAbs(target) {
			folder = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return folder, nil
}

// readLink returns where a link leads to, unless others could have placed it.
func (r rule) readLink(link string, info fs.FileInfo) (string, error) {
	if err := r.checkFolder(filepath.Dir(link), info); err != nil {
		return "", err
	}
	return os.Readlink(link)
}
