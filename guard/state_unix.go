//go:build unix

package guard

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// openFlags keep an open from waiting, if the path is that of a pipe.
const openFlags = syscall.O_NONBLOCK

// writableByOthers reports whether somebody else than this user, root and the groups of this
// process can have written a file. Kubernetes makes the files of a volume writable for the
// group of the pod.
func writableByOthers(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o002 != 0 {
		return true
	}
	if info.Mode().Perm()&0o020 == 0 || int(stat.Gid) == os.Getegid() {
		return false
	}
	groups, err := os.Getgroups()
	return err != nil || !slices.Contains(groups, int(stat.Gid))
}
