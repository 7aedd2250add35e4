package pgtest

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// relayed is a connection through a [Proxy].
type relayed struct {
	proxy *Proxy
	ends  [2]*net.TCPConn // by the direction that ends there

	once  sync.Once
	ended chan struct{} // closed when it is cut
}

// arrival is what has arrived on one direction; no bytes are its end.
type arrival struct {
	bytes []byte
	at    time.Time
}

// queued bounds what a direction holds back, in pieces of up to 32 KiB.
const queued = 256

func (r *relayed) cut() {
	r.once.Do(func() {
		close(r.ended)
		reset(r.ends[ToServer])
		reset(r.ends[ToClient])
	})
}

// run relays until both directions have ended or the connection is cut.
func (r *relayed) run() {
	var both sync.WaitGroup
	for _, d := range []Direction{ToServer, ToClient} {
		arrivals := make(chan arrival, queued)
		both.Go(func() { r.receive(r.ends[1-d], arrivals) })
		both.Go(func() { r.pass(d, arrivals) })
	}
	both.Wait()
	r.cut()
}

// receive reads what arrives from one end.
func (r *relayed) receive(from *net.TCPConn, arrivals chan<- arrival) {
	defer close(arrivals)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil && !errors.Is(err, io.EOF) {
			r.cut() // as the other side did
			return
		}
		select {
		case arrivals <- arrival{bytes: slices.Clone(buf[:n]), at: time.Now()}:
		case <-r.ended:
			return
		}
		if err != nil {
			return
		}
	}
}

// pass writes what has arrived to the other end, when and if it may.
func (r *relayed) pass(d Direction, arrivals <-chan arrival) {
	for a := range arrivals {
		if !r.wait(d, a.at) {
			return
		}
		if len(a.bytes) == 0 {
			_ = r.ends[d].CloseWrite() // it may have ended
			return
		}
		cut := NoCut
		if traffic, _ := r.proxy.now(d); traffic.Watch != nil {
			cut = traffic.Watch(a.bytes)
		}
		if cut == CutBefore {
			r.cut()
			return
		}
		if _, err := r.ends[d].Write(a.bytes); err != nil || cut == CutAfter {
			r.cut()
			return
		}
	}
}

// wait waits until what arrived at some time may pass. It reports false when the connection is cut before.
func (r *relayed) wait(d Direction, arrived time.Time) bool {
	for {
		traffic, changed := r.proxy.now(d)
		left := time.Until(arrived.Add(traffic.Delay))
		if !traffic.Blackhole && left <= 0 {
			return true
		}
		var due <-chan time.Time
		if !traffic.Blackhole {
			due = time.After(left)
		}
		select {
		case <-due:
		case <-changed:
		case <-r.ended:
			return false
		}
	}
}
