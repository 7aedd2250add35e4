package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/internal/rounds"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

// follower is a service key that may read the feed.
var follower = "sk_" + strings.Repeat("f", 43)

func withFollower(c *config.Config) {
	sum := sha256.Sum256([]byte(follower))
	c.ServiceKeys = []config.ServiceKey{{
		Name: "fleet", SHA256: hex.EncodeToString(sum[:]), Scopes: []string{"revocations:read"},
	}}
}

// protocols are the ways to speak to the public listener.
func protocols() map[string]*http.Transport {
	one, two := new(http.Protocols), new(http.Protocols)
	one.SetHTTP1(true)
	two.SetUnencryptedHTTP2(true)
	return map[string]*http.Transport{"HTTP/1.1": {Protocols: one}, "HTTP/2.0": {Protocols: two}}
}

// openStream opens a stream, which ends with the test.
func openStream(t *testing.T, s *server.Server, transport *http.Transport) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.PublicAddr().String()+"/v1/revocations/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+follower)
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = res.Body.Close()
		transport.CloseIdleConnections()
	})
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	return res
}

// awaitAlive reads up to the next alive.
func awaitAlive(t *testing.T, frames *list.FrameReader) {
	t.Helper()
	frame, err := frames.Next()
	if err != nil || frame.Event != revocation.FrameAlive {
		t.Fatalf("%+v, %v", frame, err)
	}
}

// A stream outlives the deadlines that other requests have; the test waits as long.
func TestStreamOutlivesDeadlines(t *testing.T) {
	t.Parallel()
	s := startWithShortTimeouts(t, withFollower)
	for name, transport := range protocols() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := openStream(t, s, transport)
			if res.Proto != name {
				t.Errorf("%s", res.Proto)
			}
			frames := list.NewFrameReader(res.Body)
			for range rounds.Rounds(t, 2, 5) { // every 10 s
				awaitAlive(t, frames)
			}
		})
	}
}

// When the issuer stops, streams end as if they were complete, and hold up nothing.
func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	s, stop := run(t, withFollower, nil)
	var bodies []io.Reader
	for _, transport := range protocols() {
		for range 5 {
			body := openStream(t, s, transport).Body
			awaitAlive(t, list.NewFrameReader(body))
			bodies = append(bodies, body)
		}
	}
	stop() // fails the test if requests had to be cut off
	for _, body := range bodies {
		if _, err := io.Copy(io.Discard, body); err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("a stream is cut: %v", err)
		}
	}
}
