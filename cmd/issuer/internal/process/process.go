//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package process

import (
	"math"
	"syscall"
)

// Harden makes every file that the process creates from now on unreadable for group and
// others, whatever umask it was started with, and switches core dumps off: the image of the
// memory would hold keys.
func Harden() {
	syscall.Umask(0o077)
	// When it fails, the limit of the operator stays. That is no reason not to start.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// OpenFiles returns how many files the process may have open, and whether that is known.
func OpenFiles() (limit int64, ok bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return int64(min(r.Cur, math.MaxInt64)), true
}
