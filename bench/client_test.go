package bench_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httputil"
	"slices"
	"sync"
	"testing"
	"time"

	"issuer.example/session"
)

// userAgent is the User-Agent of every client.
const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
	"Chrome/131.0.0.0 Safari/537.36"

// tokenField precedes the refresh token in requests and responses.
const tokenField = `"refresh_token":"`

// conn sends refreshes over one connection without allocations, so that the benchmark
// measures the server and not the client.
type conn struct {
	net.Conn
	in      *bufio.Reader
	request []byte
	at      int    // where the token is in the request
	status  string // how the answer must begin
	body    []byte
}

func dial(t testing.TB, address string) *conn {
	t.Helper()
	body := `{` + tokenField + string(make([]byte, session.RefreshTokenLen)) + `"}`
	head := fmt.Sprintf("POST /v1/session/refresh HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
		"User-Agent: %s\r\nContent-Length: %d\r\n\r\n", address, userAgent, len(body))
	c := dialFor(t, address, head+body)
	c.at = len(head) + len(`{`+tokenField)
	return c
}

// dialFor opens a connection that sends one request repeatedly.
func dialFor(t testing.TB, address, request string) *conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10), request: []byte(request), status: "HTTP/1.1 200", body: make([]byte, 16<<10)}
}

// send sends the request and returns the body of the response.
func (c *conn) send() ([]byte, error) {
	if _, err := c.Write(c.request); err != nil {
		return nil, err
	}
	return c.answer()
}

// refresh redeems the token and replaces it by its successor.
func (c *conn) refresh(token []byte) error {
	copy(c.request[c.at:], token)
	body, err := c.send()
	if err != nil {
		return err
	}
	i := bytes.Index(body, []byte(tokenField))
	if i < 0 || len(body) < i+len(tokenField)+len(token) {
		return fmt.Errorf("no refresh token in the answer")
	}
	copy(token, body[i+len(tokenField):])
	return nil
}

// answer reads one response and returns its body.
func (c *conn) answer() ([]byte, error) {
	length, chunked := -1, false
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if first && !bytes.HasPrefix(line, []byte(c.status)) {
			return nil, fmt.Errorf("answered %q", line)
		}
		if len(line) == 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length = 0
			for _, d := range bytes.TrimSpace(v) {
				length = length*10 + int(d-'0')
			}
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	if chunked {
		return c.chunks()
	}
	if length < 0 || length > len(c.body) {
		return nil, errors.New("an answer without a usable Content-Length")
	}
	_, err := io.ReadFull(c.in, c.body[:length])
	return c.body[:length], err
}

// chunks reads a chunked body (RFC 9112 §7.1) with its final empty line.
func (c *conn) chunks() ([]byte, error) {
	chunks, n := httputil.NewChunkedReader(c.in), 0
	for n < len(c.body) {
		got, err := chunks.Read(c.body[n:])
		n += got
		if err == io.EOF {
			_, err = c.in.ReadSlice('\n')
			return c.body[:n], err
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("an answer that is too long")
}

// result is the result of a load.
type result struct {
	rate float64 // requests a second
	p99  time.Duration
}

// load refreshes random tokens over a number of connections for a time.
func load(t testing.TB, address string, tokens [][]byte, connections int, d time.Duration) result {
	t.Helper()
	share := len(tokens) / connections
	return storm(t, connections, d, func(i int) (*conn, func() error) {
		c, mine := dial(t, address), tokens[i*share:(i+1)*share]
		return c, func() error { return c.refresh(mine[rand.IntN(len(mine))]) }
	})
}

// storm sends calls over a number of connections for a time. On a connection each call
// waits for the response to the one before.
func storm(t testing.TB, connections int, d time.Duration, open func(i int) (*conn, func() error)) result {
	t.Helper()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		start = time.Now()
	)
	for i := range connections {
		c, call := open(i)
		wg.Go(func() {
			defer c.Close()
			took := make([]time.Duration, 0, 1<<16)
			for time.Since(start) < d {
				began := time.Now()
				if err := call(); err != nil {
					t.Errorf("request: %v", err)
					return
				}
				took = append(took, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	wg.Wait()
	slices.Sort(all)
	if len(all) == 0 {
		t.Fatal("nothing was answered")
	}
	return result{rate: float64(len(all)) / time.Since(start).Seconds(), p99: all[len(all)*99/100]}
}
