package bolt

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dropCache makes the next reads of the file come from the disk. What has not been
// written back stays in the cache.
func dropCache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
}
