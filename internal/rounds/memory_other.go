//go:build !linux

package rounds

// TempInMemory leaves temporary folders where they are: only Linux has a place in memory
// that is always there.
func TempInMemory() {}
