// Package memnet is a network in memory, for tests in a bubble of testing/synctest: who waits
// for it is durably blocked, so the bubble's clock goes on.
package memnet

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Listener accepts what its Transport dials. [Listen] makes one.
type Listener struct {
	address     address
	connections chan net.Conn
	closed      chan struct{}
	close       sync.Once
}

type address string

// Network returns the name of the network.
func (address) Network() string { return "memory" }

// String returns the address.
func (a address) String() string { return string(a) }

// Listen returns a listener. The address is for URLs alone: nothing else reaches it.
func Listen(at string) *Listener {
	return &Listener{address: address(at), connections: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the address.
func (l *Listener) Addr() net.Addr { return l.address }

// Transport returns a transport whose connections all come to the listener.
func (l *Listener) Transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.connections <- there:
			return here, nil
		case <-l.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}
