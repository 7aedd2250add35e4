//go:build unix

package keyfile

import (
	"io/fs"
	"syscall"
)

// openFlags refuse a link that was put in the place of the file after the path was followed, and
// keep a pipe from holding up the opening.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// ownerOf returns the user and the group that a file belongs to.
func ownerOf(info fs.FileInfo) (user, group int) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, -1
	}
	return int(stat.Uid), int(stat.Gid)
}
