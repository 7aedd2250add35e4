package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// dialTimeout bounds how long a host may take to accept the connection. It allows for one lost packet.
	dialTimeout = 1500 * time.Millisecond
	// silentTimeout bounds it for a host that did not answer in the last silentFor.
	silentTimeout = 250 * time.Millisecond
	silentFor     = 10 * time.Second
)

// dialer dials the hosts of a DSN, one after the other. One that did not answer lately gets less time: otherwise a host
// that has gone without a word would hold up each connection to the next one.
type dialer struct {
	mu     sync.Mutex
	silent map[string]time.Time // when addresses did not answer
}

// dial notices within about two seconds that the other host has gone away without a word.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	timeout := dialTimeout
	if d.wasSilent(address) {
		timeout = silentTimeout
	}
	net := net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 2},
		Control:         limitUnacknowledged,
	}
	conn, err := net.DialContext(ctx, network, address)
	if timeout == dialTimeout && isTimeout(err) && !errors.Is(ctx.Err(), context.Canceled) {
		d.note(address)
	}
	return conn, err
}

func (d *dialer) wasSilent(address string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.silent[address]) < silentFor
}

func (d *dialer) note(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.silent == nil {
		d.silent = make(map[string]time.Time)
	}
	for other, at := range d.silent {
		if time.Since(at) >= silentFor {
			delete(d.silent, other)
		}
	}
	d.silent[address] = time.Now()
}
