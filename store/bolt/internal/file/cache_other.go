//go:build !linux

package file

import "os"

// forgetPages does nothing: other systems have no way to ask for it.
func forgetPages(*os.File) error { return nil }
