package rounds

import (
	"os"
	"syscall"
)

const (
	memory = "/dev/shm"
	// enough is how many bytes must be free in memory: several times what the tests of a
	// package write.
	enough = 2 << 30
	// tmpfs is the type of a filesystem in memory, and noexec the flag of one that runs no
	// programs (statfs(2)).
	tmpfs  = 0x01021994
	noexec = 0x8
)

// TempInMemory makes the temporary folders of a quick run lie in memory, so that the tests
// do not wait for the syncs of a disk. A full run stays on the disk, and so does a run
// where memory is no such place, or TMPDIR names another one. Call it from TestMain.
func TempInMemory() {
	if Full() || os.Getenv("TMPDIR") != "" {
		return
	}
	var fs syscall.Statfs_t
	if syscall.Statfs(memory, &fs) != nil || fs.Type != tmpfs || fs.Flags&noexec != 0 {
		return
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < enough { //nolint:gosec // a block has a positive size
		return
	}
	_ = os.Setenv("TMPDIR", memory) // when it fails, the disk is used
}
