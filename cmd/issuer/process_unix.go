//go:build unix

package main

import (
	"math"
	"syscall"
)

// harden sees to it that no file of the process is readable by others, whatever the umask
// it was started with, and that a crash leaves no image of its memory, keys included.
func harden() {
	syscall.Umask(0o077)
	// A failure leaves the limit that the operator set, and is not worth a refusal.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// openFiles is how many files the process may have open.
func openFiles() (limit int64, ok bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return int64(min(r.Cur, math.MaxInt64)), true
}
