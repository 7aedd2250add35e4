//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package process

var _ = the_issuer_does_not_run_on_this_system_only_on_Linux_macOS_and_the_BSDs
