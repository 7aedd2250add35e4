package server_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"issuer.example/cmd/issuer/internal/server"
)

// attacker is an HTTP/2 client that sends single frames.
type attacker struct {
	net.Conn
	*http2.Framer

	address string
}

func attack(t *testing.T, s *server.Server) *attacker {
	t.Helper()
	conn := dial(t, s.PublicAddr())
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	a := &attacker{Conn: conn, Framer: http2.NewFramer(conn, conn), address: s.PublicAddr().String()}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return a
}

// request is the header block of a GET.
func (a *attacker) request(path string) []byte {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "GET"},
		{":scheme", "http"},
		{":authority", a.address},
		{":path", path},
		{"authorization", "Bearer " + follower},
	} {
		_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1], Sensitive: true}) // to a buffer
	}
	return block.Bytes()
}

func (a *attacker) open(stream uint32, path string) error {
	return a.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: a.request(path), EndStream: true, EndHeaders: true,
	})
}

// drain reads what comes until the connection ends.
func (a *attacker) drain() (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := a.ReadFrame(); errors.Is(err, io.EOF) || err != nil {
				return
			}
		}
	}()
	return done
}

// bounded runs an attack. It checks that other clients are served during the attack, and that
// little memory stays in use afterwards.
func bounded(t *testing.T, s *server.Server, attack func()) {
	t.Helper()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, done := heap(), make(chan struct{})
	go func() {
		defer close(done)
		attack()
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		if status := get(t, s.PublicAddr(), "/healthz"); status != http.StatusOK {
			t.Errorf("another client gets %d", status)
		}
	}
	if after := heap(); after > before+16<<20 {
		t.Errorf("%d MiB are left over", (after-before)>>20)
	}
}

// H05: streams opened and reset at once, as fast as they can be written.
func TestRapidReset(t *testing.T) {
	s := start(t, withFollower)
	bounded(t, s, func() {
		a := attack(t, s)
		done := a.drain()
		for i := range uint32(20_000) {
			stream := 2*i + 1
			if a.open(stream, "/v1/revocations/stream") != nil || a.WriteRSTStream(stream, http2.ErrCodeCancel) != nil {
				break // the server has had enough
			}
		}
		_ = a.Close()
		<-done
	})
}

// H05: streams over the limit are refused one by one, and the open ones continue.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	const allowed, asked = 128, 1000
	s := start(t, withFollower)
	a := attack(t, s)
	opened, refused := map[uint32]bool{}, map[uint32]bool{}
	go func() {
		for i := range uint32(asked) {
			if err := a.open(2*i+1, "/v1/revocations/stream"); err != nil {
				t.Errorf("opening stream %d: %v", i, err)
				return
			}
		}
	}()
	for len(opened)+len(refused) < asked {
		frame, err := a.ReadFrame()
		if err != nil {
			t.Fatalf("after %d opened and %d refused: %v", len(opened), len(refused), err)
		}
		switch f := frame.(type) {
		case *http2.HeadersFrame:
			opened[f.StreamID] = true
		case *http2.RSTStreamFrame:
			refused[f.StreamID] = true
			if f.ErrCode != http2.ErrCodeRefusedStream && f.ErrCode != http2.ErrCodeProtocol {
				t.Errorf("refused with %s", f.ErrCode)
			}
		}
	}
	if len(opened) != allowed {
		t.Errorf("%d streams are open, want %d", len(opened), allowed)
	}
}

// H05: a header that does not end closes the connection before it is large.
func TestContinuationFlood(t *testing.T) {
	s := start(t, withFollower)
	bounded(t, s, func() {
		a := attack(t, s)
		done := a.drain()
		_ = a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: a.request("/healthz"), EndStream: true})
		var block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		_ = enc.WriteField(hpack.HeaderField{Name: "x-large", Value: string(bytes.Repeat([]byte("x"), 8<<10)), Sensitive: true})
		const most = 64 << 20
		sent := 0
		for ; sent < most && a.WriteContinuation(1, false, block.Bytes()) == nil; sent += block.Len() {
		}
		if sent >= most {
			t.Errorf("%d MiB of header are taken", sent>>20)
		}
		<-done
	})
}

// H05: pings whose answers the client does not read close the connection.
func TestPingFlood(t *testing.T) {
	s := start(t, withFollower)
	bounded(t, s, func() {
		a := attack(t, s)
		var pings bytes.Buffer
		for many := http2.NewFramer(&pings, nil); pings.Len() < 64<<10; {
			_ = many.WritePing(false, [8]byte{}) // to a buffer
		}
		const most = 256 << 20 // far more than kernels hold
		var err error
		sent := 0
		for ; sent < most && err == nil; sent += pings.Len() {
			_, err = a.Write(pings.Bytes())
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %d MiB of pings the connection is open: %v", sent>>20, err)
		}
	})
}

// H05: a flood of settings does not fill the memory with answers.
func TestSettingsFlood(t *testing.T) {
	s := start(t, withFollower)
	bounded(t, s, func() {
		a := attack(t, s)
		for sent := range uint32(200_000) {
			if a.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: sent % 4096}) != nil {
				return // the server has had enough
			}
		}
	})
}
