package file

import "os"

// DropCache makes the next reads of a file come from the disk, as far as the system knows
// how to.
func DropCache(f *os.File) error {
	// What has not been written back stays in the cache, so that comes first.
	if err := f.Sync(); err != nil {
		return err
	}
	return forgetPages(f)
}

// spareSize is how much must fit the disk before a store that has failed answers again. It
// is written in full, so that a store on a full disk does not come back only to fail at once.
const spareSize = 1 << 20

// WriteSpare writes behind the last page, where the next ones will be.
func WriteSpare(f *os.File) error {
	now, ok := ReadHeader(f)
	if !ok {
		return ErrNotBolt
	}
	if _, err := f.WriteAt(make([]byte, spareSize), now.Size()); err != nil {
		return err
	}
	return f.Sync()
}
