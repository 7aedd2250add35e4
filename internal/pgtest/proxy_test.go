package pgtest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
)

// echo starts a server that sends back what it gets, and says so when a client has ended its direction.
func echo(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_, _ = c.Write([]byte("end"))
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// behind opens a connection through a new proxy, which has passed something.
func behind(t *testing.T) (*pgtest.Proxy, *net.TCPConn) {
	t.Helper()
	p := pgtest.NewProxy(t, echo(t))
	c, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	exchange(t, c, "hello")
	return p, c.(*net.TCPConn)
}

func exchange(t *testing.T, c net.Conn, text string) {
	t.Helper()
	send(t, c, text)
	receive(t, c, text)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// silent fails if something arrives within a moment.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, syscall.EAGAIN) && !isTimeout(err) {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestProxyHoldsBack(t *testing.T) {
	for _, d := range []pgtest.Direction{pgtest.ToServer, pgtest.ToClient} {
		p, c := behind(t)
		p.Set(d, pgtest.Traffic{Blackhole: true})
		send(t, c, "held")
		silent(t, c)
		p.Set(d, pgtest.Traffic{})
		receive(t, c, "held")
		const delay = 50 * time.Millisecond
		p.Set(d, pgtest.Traffic{Delay: delay})
		begun := time.Now()
		exchange(t, c, "late")
		if took := time.Since(begun); took < delay {
			t.Errorf("delayed by %s only", took)
		}
	}
}

func TestProxyCuts(t *testing.T) {
	p, c := behind(t)
	p.Cut()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("cut: %v", err)
	}
	p.Refuse(true)
	c2, err := net.Dial("tcp", p.Address())
	if err == nil {
		defer c2.Close()
		if _, err = c2.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("refused: %v", err)
		}
	}
	if p.Open() > 0 || p.Accepted() != 2 {
		t.Errorf("%d open, %d accepted", p.Open(), p.Accepted())
	}
}

func TestProxyCutsWhereItIsToldTo(t *testing.T) {
	for cut, arrives := range map[pgtest.Cut]bool{pgtest.CutBefore: false, pgtest.CutAfter: true} {
		sink, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		p := pgtest.NewProxy(t, sink.Addr().String())
		p.Set(pgtest.ToServer, pgtest.Traffic{Watch: func(b []byte) pgtest.Cut {
			if bytes.Contains(b, []byte("COMMIT")) {
				return cut
			}
			return pgtest.NoCut
		}})
		c, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server, err := sink.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		send(t, c, "COMMIT")
		got, _ := io.ReadAll(server) // ends with a reset
		if (string(got) == "COMMIT") != arrives {
			t.Errorf("cut %d: the server has got %q", cut, got)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut %d: %v", cut, err)
		}
	}
}

func TestProxyHalfCloses(t *testing.T) {
	p, c := behind(t)
	p.HalfClose(pgtest.ToServer)
	receive(t, c, "end")
	p, c = behind(t)
	p.HalfClose(pgtest.ToClient)
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if p.Open() != 1 {
		t.Errorf("%d connections are open", p.Open())
	}
}
