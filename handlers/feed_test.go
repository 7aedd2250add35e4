package handlers_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/feed"
	"issuer.example/handlers"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/session"
)

// follow opens a stream. It ends with the test, or earlier by its cancel function.
func (f *fixture) follow(tb testing.TB, path string, options ...option) (*http.Response, *list.FrameReader, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.public.URL+"/v1/revocations/stream"+path, nil)
	must(tb, err)
	bearer(serviceKey(client.ScopeReadRevocations))(r)
	for _, o := range options {
		o(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r) // the contract would read it to its end
	must(tb, err)
	tb.Cleanup(func() {
		cancel()
		_ = response.Body.Close()
	})
	return response, list.NewFrameReader(response.Body), cancel
}

// received is what a stream has sent, in order.
type received struct {
	events []revocation.Event
	alive  revocation.Alive
}

// readUntil reads until an alive frame has at least the number seq.
func (f *fixture) readUntil(tb testing.TB, frames *list.FrameReader, seq uint64) received {
	tb.Helper()
	var got received
	for {
		frame, err := frames.Next()
		must(tb, err)
		switch frame.Event {
		case revocation.FrameRevoked:
			event := f.event(tb, frame)
			got.events = append(got.events, event)
		case revocation.FrameAlive:
			payload, err := jwt.VerifyDocument(frame.Data, f.keys, revocation.TypeAlive, jwt.MaxTokenSize)
			must(tb, err)
			got.alive, err = revocation.DecodeAlive(payload)
			must(tb, err)
			if got.alive.Seq >= seq {
				return got
			}
		default:
			tb.Fatalf("frame %s", frame.Event)
		}
	}
}

// event verifies and decodes a frame with a revocation.
func (f *fixture) event(tb testing.TB, frame list.Frame) revocation.Event {
	tb.Helper()
	payload, err := jwt.VerifyDocument(frame.Data, f.keys, revocation.TypeEvent, jwt.MaxTokenSize)
	must(tb, err)
	event, err := revocation.DecodeEvent(payload)
	must(tb, err)
	if frame.ID != strconv.FormatUint(event.Entry.Seq, 10) || event.Issuer != testIssuer {
		tb.Fatalf("frame %s holds entry %d of %s", frame.ID, event.Entry.Seq, event.Issuer)
	}
	return event
}

// snapshot fetches and verifies the snapshot.
func (f *fixture) snapshot(tb testing.TB) revocation.Snapshot {
	tb.Helper()
	a := f.call(tb, "GET", "/v1/revocations", nil, bearer(serviceKey(client.ScopeReadRevocations))).want(tb, 200, "")
	payload, err := jwt.VerifyDocument(a.body, f.keys, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	must(tb, err)
	s, err := revocation.DecodeSnapshot(payload)
	must(tb, err)
	return s
}

// with returns the same issuer with another hub, which runs until the test ends.
func (f *fixture) with(tb testing.TB, hub *feed.Hub) *fixture {
	tb.Helper()
	runFeed(tb, hub)
	other := *f
	f.set.http.Feed = hub
	server, err := handlers.New(f.set.http)
	must(tb, err)
	other.public, other.feed = listen(tb, server.Public()), hub
	return &other
}

// TestSnapshotAndStream: the stream continues where the snapshot ends.
func TestSnapshotAndStream(t *testing.T) {
	f := newFixture(t, nil)
	revoke := bearer(serviceKey(client.ScopeRevoke))
	one, two := f.mint(t, "u1"), f.mint(t, "u2")
	f.call(t, "DELETE", "/v1/sessions/"+one.id, nil, revoke).want(t, 204, "")
	s := f.snapshot(t)
	if s.Next != 1 || len(s.Entries) != 1 || s.Entries[0].SID.String() != one.id || s.Issuer != testIssuer {
		t.Fatalf("snapshot: %+v", s)
	}
	response, frames, _ := f.follow(t, "?after=1")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if h := f.readUntil(t, frames, 0); len(h.events) != 0 || h.alive.Seq != 1 || h.alive.Last != s.Last {
		t.Errorf("at first: %+v", h)
	}
	f.call(t, "POST", "/v1/users/u2/revoke-sessions", nil, revoke).want(t, 200, "")
	frame, err := frames.Next()
	must(t, err)
	event := f.event(t, frame)
	if event.Entry.Seq != 2 || event.Prev != s.Last || event.Entry.Scope != revocation.UserScope("u2") {
		t.Errorf("event: %+v", event)
	}
	if event.Entry.SID.String() < two.id {
		t.Errorf("the mark %s is below the session %s", event.Entry.SID, two.id)
	}
}

// TestKeysOfTheFeed: the keys are those of the JWKS, and no cache may keep the answer.
func TestKeysOfTheFeed(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeReadRevocations))
	published := f.call(t, "GET", "/.well-known/jwks.json", nil).want(t, 200, "")
	for _, query := range []string{"", "?nonce=jG7t2w", "?nonce=" + strings.Repeat("x", 64)} {
		a := f.call(t, "GET", "/v1/revocations/keys"+query, nil, key, header("If-None-Match", published.Header.Get("ETag"))).want(t, 200, "")
		if string(a.body) != string(published.body) {
			t.Errorf("%q: %s, not %s", query, a.body, published.body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/jwk-set+json", "Cache-Control": "no-store", "Vary": "*", "ETag": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%q: %s: %q, want %q", query, name, got, want)
			}
		}
	}
	for _, query := range []string{"?nonce=", "?nonce=a%20b", "?nonce=a&nonce=b", "?nonce=" + strings.Repeat("x", 65)} {
		f.call(t, "GET", "/v1/revocations/keys"+query, nil, key).want(t, 400, "invalid_request")
	}
	f.call(t, "GET", "/v1/revocations/keys", nil).want(t, 401, "")
}

// TestNonce: the snapshot and the stream, too, have an address that no cache has an answer for.
func TestNonce(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeReadRevocations))
	f.call(t, "GET", "/v1/revocations?nonce=jG7t2w", nil, key).want(t, 200, "")
	f.call(t, "HEAD", "/v1/revocations/stream?verifier=v&nonce=jG7t2w", nil, key).want(t, 200, "")
	for _, query := range []string{"?nonce=", "?nonce=a%20b", "?nonce=a&nonce=b"} {
		f.call(t, "GET", "/v1/revocations"+query, nil, key).want(t, 400, "invalid_request")
		f.call(t, "GET", "/v1/revocations/stream"+query, nil, key).want(t, 400, "invalid_request")
	}
}

// TestResumePoint is the row of Last-Event-ID in H13.
func TestResumePoint(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeReadRevocations))
	for range 3 {
		s := f.mint(t, "u1")
		f.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	}
	for _, tt := range []struct {
		query string
		ids   []string
		first string // the first event's id; "gone", or "" for a refusal
	}{
		{"", nil, "1"},
		{"?after=2", nil, "3"},
		{"", []string{"1"}, "2"},
		{"?after=2", []string{"0"}, "1"}, // the header wins
		{"?after=2", []string{""}, "3"},
		{"?after=4", nil, "gone"},
		{"", []string{"18446744073709551615"}, "gone"},
		{"?after=", nil, ""},
		{"?after=x", nil, ""},
		{"?after=1&after=2", nil, ""},
		{"?after=-1", nil, ""},
		{"", []string{"+1"}, ""},
		{"", []string{"0x1"}, ""},
		{"", []string{"1_0"}, ""},
		{"", []string{"1 "}, "2"}, // net/http trims
		{"", []string{"18446744073709551616"}, ""},
		{"", []string{"1", "2"}, ""},
		{"?verifier=a/b", nil, ""},
		{"?access_token=x", nil, ""},
	} {
		var options []option
		for _, id := range tt.ids {
			options = append(options, header("Last-Event-ID", id))
		}
		if tt.first == "" || tt.first == "gone" {
			a := f.call(t, "GET", "/v1/revocations/stream"+tt.query, nil, append(options, key)...)
			if tt.first == "" {
				a.want(t, 400, "invalid_request")
			} else if a.want(t, 200, ""); string(a.body) != "event: gone\ndata: {}\n\n" {
				t.Errorf("%s %q: %q", tt.query, tt.ids, a.body)
			}
			continue
		}
		_, frames, cancel := f.follow(t, tt.query, options...)
		frame, err := frames.Next()
		must(t, err)
		if frame.Event != revocation.FrameRevoked || frame.ID != tt.first {
			t.Errorf("%s %q: %s %s, want %s", tt.query, tt.ids, frame.Event, frame.ID, tt.first)
		}
		cancel()
	}
	a := f.call(t, "HEAD", "/v1/revocations/stream", nil, key).want(t, 200, "")
	if got := a.Header.Get("Content-Type"); got != "text/event-stream" || len(a.body) > 0 {
		t.Errorf("HEAD: %s, %d bytes", got, len(a.body))
	}
}

// TestPurged: entries that verifiers no longer need are purged, and a reader that has not read them is told.
func TestPurged(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeReadRevocations))
	s := f.mint(t, "u1")
	f.call(t, "DELETE", "/v1/sessions/"+s.id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	f.advance(t, time.Hour)
	for more := true; more; {
		var err error
		more, err = f.set.http.Sessions.Sweep(t.Context())
		must(t, err)
	}
	hub, err := feed.New(feed.Config{Issuer: testIssuer, Log: f.store, Signer: f.keys, Now: f.clock.now})
	must(t, err)
	server := f.with(t, hub)
	a := server.call(t, "GET", "/v1/revocations/stream?after=0", nil, key).want(t, 200, "")
	if !strings.Contains(string(a.body), "event: gone\n") {
		t.Errorf("after the purge: %q", a.body)
	}
	if s := server.snapshot(t); s.Next != 1 || len(s.Entries) != 0 {
		t.Errorf("snapshot: %+v", s)
	}
	_, frames, _ := server.follow(t, "?after=1")
	if h := server.readUntil(t, frames, 1); h.alive.Seq != 1 {
		t.Errorf("alive: %+v", h.alive)
	}
}

// TestStreamLimits: the streams of one key and of all keys are limited; the next one is told when to try
// again.
func TestStreamLimits(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeReadRevocations))
	for _, tt := range []struct {
		all, perKey, status int
		code                string
	}{{10, 2, 429, "rate_limited"}, {2, 10, 503, "unavailable"}} {
		hub, err := feed.New(feed.Config{Issuer: testIssuer, Log: f.store, Signer: f.keys, MaxReaders: tt.all, MaxReadersPerKey: tt.perKey})
		must(t, err)
		limited := f.with(t, hub)
		_, _, first := limited.follow(t, "")
		limited.follow(t, "")
		a := limited.call(t, "GET", "/v1/revocations/stream", nil, key).want(t, tt.status, tt.code)
		if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 30 {
			t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
		}
		first()
		waitUntil(t, func() bool { return hub.Readers() < 2 })
		limited.follow(t, "")
		hub.Stop()
		limited.call(t, "GET", "/v1/revocations/stream", nil, key).want(t, 503, "unavailable")
	}
}

// waitUntil waits until a condition holds.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("it never holds")
		}
	}
}

// narrow gives connections a small buffer, so that writes to a client that does not read soon block.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(8 << 10)
	}
	return c, err
}

// TestSlowClient: a client that reads nothing is dropped, does not delay others, and loses nothing when it
// resumes.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	const marks = 1000
	var server *handlers.Server
	f := newFixture(t, func(s *settings) {
		handlers.SetFrameTimeout(&s.http, 2*time.Second) // which is long for a client that reads
		server = newServer(t, s)
	})
	f.public = listenWith(t, server.Public(), func(s *httptest.Server) { s.Listener = narrow{s.Listener} })
	slow, frames, _ := f.follow(t, "")
	if slow.StatusCode != http.StatusOK {
		t.Fatal(slow.Status)
	}
	_, quick, _ := f.follow(t, "")
	name := strings.Repeat("u", 250)
	for range marks / 500 {
		var all sync.WaitGroup
		for range 500 {
			all.Go(func() {
				if _, err := f.set.http.Sessions.RevokeUser(t.Context(), session.RevokeUserRequest{UserID: name, Cause: session.Cause{Reason: "test"}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	for n := 0; n < marks; {
		frame, err := quick.Next()
		must(t, err)
		if frame.Event == revocation.FrameRevoked {
			n++
		}
	}
	waitUntil(t, func() bool { // the metrics say that it was dropped
		return strings.Contains(string(f.callAdmin(t, "GET", "/metrics", nil).body), `issuer_feed_streams_ended_total{reason="slow"} 1`)
	})
	seen := uint64(0)
	for frame, err := frames.Next(); err == nil; frame, err = frames.Next() {
		if frame.Event == revocation.FrameRevoked {
			seen++
			if frame.ID != strconv.FormatUint(seen, 10) {
				t.Fatalf("%s comes after %d", frame.ID, seen-1)
			}
		}
	}
	if seen == marks {
		t.Fatal("all of it was on its way: nothing was dropped")
	}
	_, frames, _ = f.follow(t, "", header("Last-Event-ID", strconv.FormatUint(seen, 10)))
	frame, err := frames.Next()
	must(t, err)
	if frame.ID != strconv.FormatUint(seen+1, 10) {
		t.Errorf("it resumes at %s after %d", frame.ID, seen)
	}
}

// TestReports: the admin API shows what verifiers report.
func TestReports(t *testing.T) {
	f := newFixture(t, nil)
	key, admin := bearer(serviceKey(client.ScopeReadRevocations)), bearer(serviceKey(client.ScopeAdmin))
	for body, field := range map[string]string{
		`{"verifier":"","seq":1}`:                                "verifier",
		`{"verifier":"a b","seq":1}`:                             "verifier",
		`{"verifier":"ä","seq":1}`:                               "verifier",
		`{"verifier":"` + strings.Repeat("a", 65) + `","seq":1}`: "verifier",
		`{"verifier":"a"}`:                                       "seq",
		`{"verifier":"a","seq":-1}`:                              "seq",
		`{"verifier":"a","seq":1.5}`:                             "seq",
		`{"verifier":"a","seq":9007199254740992}`:                "seq",
		`{"verifier":"a","seq":1,"delay_ms":-1}`:                 "delay_ms",
		`{"verifier":"a","seq":1,"delay_ms":86400001}`:           "delay_ms",
		`{"verifier":"a","seq":1,"other":1}`:                     "other",
	} {
		a := f.call(t, "POST", "/v1/revocations/applied", body, key).want(t, 400, "invalid_request")
		if got := a.text(t, "field"); got != field {
			t.Errorf("%s: field %q, want %q", body, got, field)
		}
	}
	f.call(t, "DELETE", "/v1/sessions/"+f.mint(t, "u1").id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	f.call(t, "DELETE", "/v1/sessions/"+f.mint(t, "u1").id, nil, bearer(serviceKey(client.ScopeRevoke))).want(t, 204, "")
	_, frames, _ := f.follow(t, "?verifier=orders-7f9c")
	f.readUntil(t, frames, 2)
	f.call(t, "POST", "/v1/revocations/applied", `{"verifier":"orders-7f9c","seq":1,"delay_ms":18}`, key).want(t, 204, "")
	a := f.callAdmin(t, "GET", "/admin/v1/verifiers", nil, admin).want(t, 200, "")
	const want = `{"seq":2,"streams":1,"verifiers":[{"verifier":"orders-7f9c","client":"revocations-read",` +
		`"connected":true,"seq":1,"behind":1,"delay_ms":18,"reported_at":"2026-03-01T12:00:00Z"}]}`
	if string(a.body) != want {
		t.Errorf("%s\nwant\n%s", a.body, want)
	}
	text := string(f.callAdmin(t, "GET", "/metrics", nil).body)
	for _, line := range []string{"issuer_feed_applied_delay_seconds_count 1", "issuer_feed_applied_delay_seconds_sum 0.018"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// TestWithoutFeed: an issuer without a feed answers 404 on its routes, and its metadata does not name them.
func TestWithoutFeed(t *testing.T) {
	f := newFixture(t, func(s *settings) { s.http.Feed = nil })
	key := bearer(serviceKey(client.ScopeReadRevocations))
	f.call(t, "GET", "/v1/revocations", nil, key).want(t, 404, "not_found")
	f.call(t, "GET", "/v1/revocations/keys", nil, key).want(t, 404, "not_found")
	f.call(t, "GET", "/v1/revocations/stream", nil, key).want(t, 404, "not_found")
	f.callAdmin(t, "GET", "/admin/v1/verifiers", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 404, "not_found")
	if a := f.call(t, "GET", "/.well-known/openid-configuration", nil); a.at(t, "revocations_endpoint") != nil {
		t.Errorf("%s", a.body)
	}
}
