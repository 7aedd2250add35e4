//go:build !unix

package main

// harden does nothing: this system has neither umask nor core dumps.
func harden() {}

// openFiles is unknown on this system.
func openFiles() (limit int64, ok bool) { return 0, false }
