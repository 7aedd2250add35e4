package pgtest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is one of the two in which a connection carries bytes.
type Direction int

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

// Traffic is what a [Proxy] does to the bytes of one direction. The zero value passes them.
type Traffic struct {
	Delay time.Duration
	// Blackhole holds everything back, the ends of connections too, until it is lifted: a network that is partitioned.
	Blackhole bool
	// Watch is called with the bytes as they arrive, before they are passed. It says when to cut the connection.
	Watch func(bytes []byte) Cut
}

// Cut says whether a connection is cut.
type Cut int

// What [Traffic.Watch] can answer.
const (
	NoCut     Cut = iota
	CutBefore     // the bytes are not passed
	CutAfter      // the bytes are passed, and nothing after them, in either direction
)

// Proxy is a TCP proxy that fails as networks do. It is changed while it runs.
type Proxy struct {
	target   string
	listener net.Listener

	mu       sync.Mutex
	traffic  [2]Traffic
	changed  chan struct{} // closed, and another, when traffic changes
	refuse   bool
	accepted int
	open     map[*relayed]bool
}

// NewProxy starts a proxy in front of a TCP address, which ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	p := &Proxy{target: target, listener: l, changed: make(chan struct{}), open: map[*relayed]bool{}}
	var accepting sync.WaitGroup
	accepting.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		p.Cut()
	})
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// DSN is that of a database behind the proxy, as the superuser.
func (p *Proxy) DSN(database string) string { return dsn(p.Address(), database) }

// Set changes what happens to the bytes of a direction, on the connections that there are as well.
func (p *Proxy) Set(d Direction, to Traffic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traffic[d] = to
	close(p.changed)
	p.changed = make(chan struct{})
}

// Refuse ends new connections at once, or no longer.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// Cut resets all connections.
func (p *Proxy) Cut() {
	for _, r := range p.connections() {
		r.cut()
	}
}

// HalfClose ends one direction of all connections. The other goes on.
func (p *Proxy) HalfClose(d Direction) {
	for _, r := range p.connections() {
		_ = r.ends[d].CloseWrite() // it may have ended
	}
}

// Open is how many connections there are.
func (p *Proxy) Open() int { return len(p.connections()) }

// Accepted is how many connections there have been.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

func (p *Proxy) connections() (all []*relayed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.open {
		all = append(all, r)
	}
	return all
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client.(*net.TCPConn)) //nolint:forcetypeassert // the listener is one of TCP
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	p.accepted++
	refuse := p.refuse
	p.mu.Unlock()
	if refuse {
		reset(client)
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	r := &relayed{proxy: p, ends: [2]*net.TCPConn{ToServer: server.(*net.TCPConn), ToClient: client}, ended: make(chan struct{})} //nolint:forcetypeassert // it is one of TCP
	p.mu.Lock()
	p.open[r] = true
	p.mu.Unlock()
	r.run()
	p.mu.Lock()
	delete(p.open, r)
	p.mu.Unlock()
}

// now is what happens to a direction now, and a channel that is closed when that changes.
func (p *Proxy) now(d Direction) (Traffic, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.traffic[d], p.changed
}

// reset closes a connection so that the other side gets an error, not an end.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
