package feed_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/feed"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

// message is an event or an alive of the stream; the other one is nil.
type message struct {
	event *revocation.Event
	alive *revocation.Alive
}

// messages reads what a reader is given next.
func (f *fixture) messages(t *testing.T, r *feed.Reader) (all []message) {
	t.Helper()
	frames, err := r.Next(t.Context())
	must(t, err)
	stream := list.NewFrameReader(bytes.NewReader(bytes.Join(frames, nil)))
	for {
		frame, err := stream.Next()
		if err != nil {
			return all
		}
		var m message
		if frame.Event == revocation.FrameAlive {
			payload, err := jwt.VerifyDocument(frame.Data, f.keys, revocation.TypeAlive, jwt.MaxTokenSize)
			must(t, err)
			alive, err := revocation.DecodeAlive(payload)
			must(t, err)
			m.alive = &alive
		} else {
			payload, err := jwt.VerifyDocument(frame.Data, f.keys, revocation.TypeEvent, jwt.MaxTokenSize)
			must(t, err)
			event, err := revocation.DecodeEvent(payload)
			must(t, err)
			m.event = &event
		}
		all = append(all, m)
	}
}

// until reads up to the first message for which done holds.
func (f *fixture) until(t *testing.T, r *feed.Reader, done func(m message) bool) message {
	t.Helper()
	for {
		for _, m := range f.messages(t, r) {
			if done(m) {
				return m
			}
		}
	}
}

func (f *fixture) reader(t *testing.T, after uint64) *feed.Reader {
	t.Helper()
	r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: after})
	must(t, err)
	t.Cleanup(func() { r.Close(feed.EndClient) })
	return r
}

// The hub has read entry 3, and entries 4 and 5 are purged before it reads on. Entry 3 is
// not the predecessor of entry 6, whose event must not say so.
func TestNoPredecessorOverAPurgedGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 3))
		f.reader(t, 3) // makes the hub read the log, which it does not follow yet
		must(t, f.revoke(t.Context(), 2))
		time.Sleep(2 * time.Minute) // of the bubble's clock
		must(t, f.revoke(t.Context(), 2))
		f.trim(t, time.Now().Add(4*time.Minute)) // entries 1 to 5 end by then
		r := f.reader(t, 5)
		for _, m := range f.messages(t, r) {
			if m.event != nil && m.event.Entry.Seq == 6 && !m.event.Prev.IsZero() {
				t.Errorf("event 6 follows %s", m.event.Prev)
			}
			if m.event != nil && m.event.Entry.Seq == 7 && m.event.Prev.IsZero() {
				t.Error("event 7 does not say what it follows")
			}
		}
	})
}

// The same where the whole log is purged: neither the alive nor the next event names
// entry 3.
func TestNoPredecessorOverAPurgedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		must(t, f.revoke(t.Context(), 3))
		f.reader(t, 3)
		must(t, f.revoke(t.Context(), 2))
		f.trim(t, time.Now().Add(time.Hour))
		r := f.reader(t, 5)
		defer f.run(t)()
		alive := f.until(t, r, func(m message) bool { return m.alive != nil })
		if alive.alive.Seq != 5 || !alive.alive.Last.IsZero() {
			t.Errorf("the alive says that the log ends at %d with %s", alive.alive.Seq, alive.alive.Last)
		}
		must(t, f.revoke(t.Context(), 1))
		event := f.until(t, r, func(m message) bool { return m.event != nil })
		if event.event.Entry.Seq != 6 || !event.event.Prev.IsZero() {
			t.Errorf("event %d follows %s", event.event.Entry.Seq, event.event.Prev)
		}
	})
}
