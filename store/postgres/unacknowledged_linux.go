package postgres

import "syscall"

const (
	// tcpUserTimeout is the option of tcp(7) that the package syscall does not name on every architecture.
	tcpUserTimeout = 0x12
	// unacknowledged is how many milliseconds what was sent may stay without an acknowledgement (RFC 5482).
	unacknowledged = 2000
)

// limitUnacknowledged makes the connection end when the other host does not acknowledge what was sent.
func limitUnacknowledged(network, _ string, conn syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, unacknowledged)
	})
	if err != nil {
		return err
	}
	return failed
}
