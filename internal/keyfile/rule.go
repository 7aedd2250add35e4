package keyfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rule is what the decision about a file depends on besides the file.
type rule struct {
	user    int      // the effective user of the process
	groups  []int    // its effective group and its supplementary ones
	folders []string // whose files others may read
}

// The folders whose content the system shows to nobody but the service.
const (
	credentialsVariable = "CREDENTIALS_DIRECTORY"
	dockerFolder        = "/run/secrets"
)

// newRule returns the rule for this process.
func newRule() rule {
	r := rule{user: os.Geteuid(), groups: []int{os.Getegid()}, folders: []string{dockerFolder}}
	if more, err := os.Getgroups(); err == nil {
		r.groups = append(r.groups, more...)
	}
	if folder := os.Getenv(credentialsVariable); filepath.IsAbs(folder) {
		r.folders = append(r.folders, folder)
	}
	return r
}

// isTrusted reports whether root or this user has that id.
func (r rule) isTrusted(user int) bool { return user == 0 || user == r.user }

func (r rule) isMember(group int) bool { return slices.Contains(r.groups, group) }

// isSecretFolder reports whether a folder, named without links, is one of r.folders or below it.
func (r rule) isSecretFolder(folder string) bool {
	return slices.ContainsFunc(r.folders, func(of string) bool {
		resolved, err := filepath.EvalSymlinks(of)
		return err == nil && (folder == resolved || strings.HasPrefix(folder, resolved+"/"))
	})
}

// checkFolder returns [ErrPermissions] unless only root and this user can replace an entry of
// the folder.
func (r rule) checkFolder(folder string, entry fs.FileInfo) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner, _ := ownerOf(info)
	ofEntry, _ := ownerOf(entry)
	mode := info.Mode()
	switch {
	case !r.isTrusted(owner):
		return fmt.Errorf("the folder %s belongs to another user, who can replace what is in it: %w; run: chown root %q", folder, ErrPermissions, folder)
	case mode.Perm()&0o022 == 0:
		return nil
	case mode&fs.ModeSticky != 0 && r.isTrusted(ofEntry):
		return nil // nobody else can remove or rename it
	}
	return fmt.Errorf("other users can replace what is in the folder %s, which has mode %#o: %w; run: chmod go-w %q", folder, mode.Perm(), ErrPermissions, folder)
}
