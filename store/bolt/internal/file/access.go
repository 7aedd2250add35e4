package file

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// repair is a mode to be changed before the file is used: one that this user may change, and
// that others gave it. Kubernetes, for one, gives the group of a volume access to all that is in
// it whenever the volume is mounted.
type repair struct {
	path     string
	from, to fs.FileMode
	why      string
}

func (r repair) String() string {
	return fmt.Sprintf("%s has mode %s instead of %s: %s", r.path, r.from, r.to, r.why)
}

// CheckAccess returns the error with which an opening of the data file would refuse the
// permissions of the file and of its folder, and what it would say that it changed. It changes
// nothing. A file that does not exist is no error.
func CheckAccess(path string) (repairs []string, err error) {
	folder, err := inspectFolder(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	file, err := inspectFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, r := range []*repair{folder, file} {
		if r != nil {
			repairs = append(repairs, r.String())
		}
	}
	return repairs, nil
}

// inspectFolder refuses a folder in which other users can replace the data file. The repair is
// nil if it can stay as it is.
func inspectFolder(path string) (*repair, error) {
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	mode := info.Mode()
	switch {
	case !isShared(mode) || mode&fs.ModeSticky != 0:
		return nil, nil
	case ownerOf(info) == os.Geteuid():
		return &repair{folder, mode, mode | fs.ModeSticky, "everybody could have replaced the data file"}, nil
	}
	return nil, fmt.Errorf("%w; anybody may replace it, for its folder %s has mode %#o; put it into a folder inside of that one, "+
		"which is made for this user alone (store.path: %s), or run: chmod +t %q",
		ErrPermissions, folder, mode.Perm(), filepath.Join(folder, "issuer", filepath.Base(path)), folder)
}

// isShared reports whether everybody may write to a folder.
func isShared(mode fs.FileMode) bool { return mode.Perm()&0o002 != 0 }

// inspectFile refuses a file that is not regular or not this user's alone. The repair is nil if
// it can stay as it is.
func inspectFile(path string) (*repair, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	mode, owner := info.Mode(), ownerOf(info)
	switch {
	case !mode.IsRegular():
		return nil, ErrNotRegular
	case isShared(folder.Mode()) && owner != os.Geteuid() && owner != 0:
		return nil, fmt.Errorf("%w; it belongs to another user, who put it into a folder of everybody", ErrPermissions)
	case mode.Perm()&0o600 == 0o600 && mode.Perm()&0o077 == 0:
		return nil, nil
	case mode.Perm()&0o600 == 0o600 && owner == os.Geteuid():
		return &repair{path, mode, mode &^ 0o077, "other users could have read or written it"}, nil
	}
	return nil, fmt.Errorf("%w; it has mode %#o; run: chmod 600 %q", ErrPermissions, mode.Perm(), path)
}

// repairFolder makes the folder of the data file safe if it is this user's.
func repairFolder(path string, log *slog.Logger) error {
	needed, err := inspectFolder(path)
	if err != nil || needed == nil {
		return err
	}
	if err := os.Chmod(needed.path, needed.to); err != nil {
		return fmt.Errorf("%w; %v; it cannot be changed: %w", ErrPermissions, needed, err)
	}
	return verifyRepair(needed, log, func() (fs.FileInfo, error) { return os.Stat(needed.path) })
}

// repairFile closes an open data file to other users.
func repairFile(f *os.File, needed *repair, log *slog.Logger) error {
	if err := f.Chmod(needed.to); err != nil {
		return fmt.Errorf("%w; %v; it cannot be changed: %w", ErrPermissions, needed, err)
	}
	return verifyRepair(needed, log, f.Stat)
}

// verifyRepair logs a repair that was made. There are file systems that accept a change of mode
// and ignore it.
func verifyRepair(made *repair, log *slog.Logger, stat func() (fs.FileInfo, error)) error {
	info, err := stat()
	if err != nil {
		return err
	}
	if info.Mode() != made.to {
		return fmt.Errorf("%w; %v; the file system keeps it: mount it with another mode", ErrPermissions, made)
	}
	log.Warn("changed a mode", slog.String("path", made.path),
		slog.String("from", made.from.String()), slog.String("to", made.to.String()), slog.String("why", made.why))
	return nil
}
