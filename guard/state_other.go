//go:build !unix

package guard

import "io/fs"

const openFlags = 0

// writableByOthers reports whether somebody else can have written a file. Here the mode does
// not say that: the folder has to be safe.
func writableByOthers(fs.FileInfo) bool { return false }
