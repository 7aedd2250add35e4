package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unacknowledged is how many milliseconds what was sent may stay without an acknowledgement (RFC 5482).
const unacknowledged = 2000

// limitUnacknowledged makes the connection end when the other host does not acknowledge what was sent.
func limitUnacknowledged(network, _ string, conn syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, unacknowledged)
	})
	if err != nil {
		return err
	}
	return failed
}
