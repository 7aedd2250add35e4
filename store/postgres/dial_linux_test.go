package postgres

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
)

// silentAddress is an address whose host accepts no connection and refuses none, because its queue is full.
func silentAddress(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}
	for {
		conn, err := net.DialTimeout("tcp", at.String(), 100*time.Millisecond)
		if err != nil {
			return at.String()
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

// The first host of a DSN does not answer. Only the first connection waits long for it.
func TestSilentFirstHost(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	dsn := server.DSN(newDatabaseOn(t, server))
	db := openAt(t, Config{DSN: strings.Replace(dsn, "@", "@"+silentAddress(t)+",", 1), Notify: NotifyPoll})
	for range 3 {
		db.pool.Reset()
		began := time.Now()
		if err := db.pool.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took >= dialTimeout {
			t.Errorf("a connection to the second host took %s", took)
		}
	}
}
