package server

import (
	"net"
	"sync"
)

// limitListener accepts at most a number of connections at once, which can be changed. Further
// ones wait in the queue of the kernel.
type limitListener struct {
	net.Listener

	mu     sync.Mutex
	limit  int
	open   int
	closed bool
	freed  *sync.Cond // with mu: a connection may be accepted now, or never again
}

func newLimitListener(l net.Listener, limit int) *limitListener {
	limited := &limitListener{Listener: l, limit: limit}
	limited.freed = sync.NewCond(&limited.mu)
	return limited
}

// setLimit changes the limit. Connections over a lower one stay open.
func (l *limitListener) setLimit(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = limit
	l.freed.Broadcast()
}

// Accept waits for a connection, while the limit allows one more.
func (l *limitListener) Accept() (net.Conn, error) {
	if !l.acquire() {
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		l.release()
		return nil, err
	}
	return &limitedConn{Conn: conn, release: sync.OnceFunc(l.release)}, nil
}

// acquire counts a connection as soon as the limit allows it. It is false if the listener is
// closed.
func (l *limitListener) acquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open >= l.limit && !l.closed {
		l.freed.Wait()
	}
	if l.closed {
		return false
	}
	l.open++
	return true
}

func (l *limitListener) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.freed.Broadcast()
}

// Close ends Accept.
func (l *limitListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.freed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// limitedConn is a connection that counts until it is closed.
type limitedConn struct {
	net.Conn
	release func()
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
