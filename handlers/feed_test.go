package handlers_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"issuer.example/handlers"
	"issuer.example/jwt"
	"issuer.example/revocation"
)

// follow opens a stream. It ends with the test, or before by its cancel.
func (f *fixture) follow(tb testing.TB, path string, options ...option) (*http.Response, *revocation.FrameReader, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.public.URL+"/v1/revocations/stream"+path, nil)
	must(tb, err)
	bearer(serviceKey(handlers.ScopeReadRevocations))(r)
	for _, o := range options {
		o(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r) // the contract would read it to its end
	must(tb, err)
	tb.Cleanup(func() {
		cancel()
		_ = response.Body.Close()
	})
	return response, revocation.NewFrameReader(response.Body), cancel
}

// heard is what a stream has said, in order.
type heard struct {
	events []revocation.Event
	alive  revocation.Alive
}

// listenTo reads until an alive has the number seq.
func (f *fixture) listenTo(tb testing.TB, frames *revocation.FrameReader, seq uint64) heard {
	tb.Helper()
	var h heard
	for {
		frame, err := frames.Next()
		must(tb, err)
		switch frame.Event {
		case revocation.FrameRevoked:
			event := f.event(tb, frame)
			h.events = append(h.events, event)
		case revocation.FrameAlive:
			payload, err := jwt.VerifyDocument(frame.Data, f.keys, revocation.TypeAlive, jwt.MaxTokenSize)
			must(tb, err)
			h.alive, err = revocation.DecodeAlive(payload)
			must(tb, err)
			if h.alive.Seq >= seq {
				return h
			}
		default:
			tb.Fatalf("frame %s", frame.Event)
		}
	}
}

// event verifies a frame that revokes.
func (f *fixture) event(tb testing.TB, frame revocation.Frame) revocation.Event {
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
	a := f.call(tb, "GET", "/v1/revocations", nil, bearer(serviceKey(handlers.ScopeReadRevocations))).want(tb, 200, "")
	payload, err := jwt.VerifyDocument(a.body, f.keys, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	must(tb, err)
	s, err := revocation.DecodeSnapshot(payload)
	must(tb, err)
	return s
}

// TestSnapshotAndStream: what is on the snapshot, and how the stream goes on from it.
func TestSnapshotAndStream(t *testing.T) {
	f := newFixture(t, nil)
	revoke := bearer(serviceKey(handlers.ScopeRevoke))
	one, two := f.mint(t, "u1"), f.mint(t, "u2")
	f.call(t, "DELETE", "/v1/sessions/"+one.id, nil, revoke).want(t, 204, "")
	s := f.snapshot(t)
	if s.Next != 1 || len(s.Entries) != 1 || s.Entries[0].SID.String() != one.id || s.Issuer != testIssuer {
		t.Fatalf("snapshot: %+v", s)
	}
	response, frames, _ := f.follow(t, "?after=1")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if h := f.listenTo(t, frames, 0); len(h.events) != 0 || h.alive.Seq != 1 || h.alive.Last != s.Last {
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
