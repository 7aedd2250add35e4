//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package file

import (
	"io/fs"
	"os"
)

func flock(*os.File) error {
	return the_issuer_does_not_run_on_this_system_only_on_Linux_macOS_and_the_BSDs
}

func waitForLock(f *os.File) error { return flock(f) }

func unlock(f *os.File) error { return flock(f) }

func reservable(int) bool { return false }

func ownerOf(fs.FileInfo) int { return -1 }
