package bench_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/jwt"
)

// feedKey is a service key that may mint, revoke and follow the feed.
const feedKey = "sk_0000000000000000000000000000000000000000000"

// serveFeed starts the program with a configuration for many streams.
func serveFeed(t testing.TB, program string, d *dataset) *process {
	t.Helper()
	sum := sha256.Sum256([]byte(feedKey))
	key := fmt.Sprintf(`{name: fleet, sha256: "%s", scopes: [sessions:mint, sessions:revoke, revocations:read]}`, hex.EncodeToString(sum[:]))
	return serveFor(t, program, d, jwt.ES256, key, "limits: {connections: 12000, feed_streams: 6000, feed_streams_per_key: 6000}\n")
}

// follower is a stream of the feed over a connection of its own.
type follower struct {
	net.Conn
	in *bufio.Reader
}

func follow(t testing.TB, address string, after int) *follower {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "GET /v1/revocations/stream HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Last-Event-ID: %d\r\nUser-Agent: guard\r\nAccept: text/event-stream\r\n\r\n", address, feedKey, after)
	if err != nil {
		t.Fatal(err)
	}
	return &follower{c, bufio.NewReaderSize(c, 2048)}
}

// until reads up to the line that begins with prefix.
func (f *follower) until(prefix string) error {
	for {
		line, err := f.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if bytes.HasPrefix(line, []byte(prefix)) {
			return nil
		}
	}
}

// send sends a request with the key.
func (p *process) send(method, path, body string) (*http.Response, error) {
	r, err := http.NewRequest(method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+feedKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return http.DefaultClient.Do(r)
}

// call sends a request with the key, and returns the status of the response.
func (p *process) call(t testing.TB, method, path, body string) int {
	t.Helper()
	res, err := p.send(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
	return res.StatusCode
}

// BenchmarkFeedIdle measures 5,000 open streams without events: the memory of each, and how
// long a revocation takes to reach the last of them.
func BenchmarkFeedIdle(b *testing.B) {
	const streams = 5000
	p := serveFeed(b, build(b), fill(b, 1000))
	for range b.N {
		before := p.anonymous(b)
		readers := make([]*follower, streams)
		for i := range readers {
			readers[i] = follow(b, p.address, 0)
		}
		for _, r := range readers {
			if err := r.until("event: alive"); err != nil {
				b.Fatal(err)
			}
		}
		opened := p.anonymous(b)
		var reached sync.WaitGroup
		for _, r := range readers {
			reached.Go(func() {
				if err := r.until("event: revoked"); err != nil {
					b.Error(err)
				}
			})
		}
		began := time.Now()
		if status := p.call(b, "POST", "/v1/users/user-00000000/revoke-sessions", ""); status != http.StatusOK {
			b.Fatalf("revoke: %d", status)
		}
		revoked := time.Now()
		reached.Wait()
		b.ReportMetric(time.Since(revoked).Seconds()*1000, "last-ms")
		b.ReportMetric(revoked.Sub(began).Seconds()*1000, "revoke-ms")
		b.ReportMetric((opened-before)/streams/1024, "KiB/stream")
		b.ReportMetric((p.anonymous(b)-before)/streams/1024, "KiB/stream-after")
	}
	b.ReportMetric(0, "ns/op")
}
