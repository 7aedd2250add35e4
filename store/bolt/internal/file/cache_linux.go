package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// forgetPages empties the cache of what has been written back and is not mapped.
func forgetPages(f *os.File) error {
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
