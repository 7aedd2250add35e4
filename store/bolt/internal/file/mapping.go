package file

// spareSpace is how much address space, in bytes, is left to the rest of the process.
const spareSpace = 512 << 20

// MappingSize returns how much address space can be set aside for a file to grow into: size,
// or as many halves of it as make it fit what the process may have (ulimit -v), but at least
// that of the file, which is in bytes.
func MappingSize(size int, file int64) int {
	for int64(size) > file && !reservable(size+spareSpace) {
		size /= 2
	}
	return size
}
