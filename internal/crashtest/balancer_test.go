//go:build linux

package crashtest_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// balancer passes each connection on to one of several addresses, as what stands in front
// of issuers does.
type balancer struct {
	listener net.Listener
	to       atomic.Pointer[[]string]
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l}
	b.to.Store(&[]string{})
	go b.accept()
	t.Cleanup(func() { _ = l.Close() })
	return b
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

// pass makes new connections go to these addresses.
func (b *balancer) pass(to ...string) { b.to.Store(&to) }

func (b *balancer) accept() {
	for {
		from, err := b.listener.Accept()
		if err != nil {
			return
		}
		go b.carry(from)
	}
}

// carry connects a client with the first address that accepts, in random order.
func (b *balancer) carry(from net.Conn) {
	defer func() { _ = from.Close() }()
	addresses := *b.to.Load()
	for _, n := range rand.Perm(len(addresses)) {
		to, err := net.Dial("tcp", addresses[n])
		if err != nil {
			continue
		}
		defer func() { _ = to.Close() }()
		go func() {
			_, _ = io.Copy(to, from)
			_ = to.Close()
		}()
		_, _ = io.Copy(from, to)
		return
	}
}
