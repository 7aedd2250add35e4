package feed_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/secret"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

const issuer = "https://id.example.com"

// world is a feed over a real store and real keys.
type world struct {
	store *bolt.DB
	keys  *keys.Manager
	hub   *feed.Hub
	ids   *sid.Generator
	seen  *seen
}

// seen is what an observer hears, and a signer that counts.
type seen struct {
	*keys.Manager

	mu      sync.Mutex
	ended   map[string]int
	applied []time.Duration
	signed  map[string]int // by typ
}

func (s *seen) FeedSent(int) {}

func (s *seen) FeedEnded(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[why]++
}

func (s *seen) FeedApplied(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = append(s.applied, d)
}

func (s *seen) Sign(typ string, payload []byte) (jws, keyID string, err error) {
	s.mu.Lock()
	s.signed[typ]++
	s.mu.Unlock()
	return s.Manager.Sign(typ, payload)
}

func (s *seen) signatures(typ string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed[typ]
}

// newWorld makes a world whose hub does not run yet.
func newWorld(t *testing.T, change func(*feed.Config)) *world {
	t.Helper()
	w := &world{ids: sid.NewGenerator(time.Now), seen: &seen{ended: map[string]int{}, signed: map[string]int{}}}
	var err error
	w.store, err = bolt.Open(t.Context(), bolt.Config{Path: filepath.Join(t.TempDir(), "issuer.db")})
	must(t, err)
	t.Cleanup(func() { _ = w.store.Close() })
	key, err := secret.Parse([]byte(strings.Repeat("feed-secret.", 4)))
	must(t, err)
	w.keys, err = keys.Open(t.Context(), keys.Config{Store: w.store, Secrets: []secret.Secret{key}})
	must(t, err)
	w.seen.Manager = w.keys
	w.newHub(t, change)
	return w
}

func (w *world) newHub(t *testing.T, change func(*feed.Config)) {
	t.Helper()
	cfg := feed.Config{Issuer: issuer, Log: w.store, Signer: w.seen, Observer: w.seen}
	if change != nil {
		change(&cfg)
	}
	var err error
	w.hub, err = feed.New(cfg)
	must(t, err)
}

// run runs the hub until the function that it returns is called, or the test ends.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	hub := w.hub
	go func() { done <- hub.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entry is the revocation of a session, needed for five minutes.
func (w *world) entry() revocation.Entry {
	now := time.Now()
	return revocation.Entry{
		Scope: revocation.Scope{Kind: revocation.KindSession}, SID: w.ids.Next(),
		At: now, Until: now.Add(5 * time.Minute), Reason: "sign_out",
	}
}

// revoke adds so many entries to the log, in one transaction.
func (w *world) revoke(ctx context.Context, n int) error {
	return w.store.Update(ctx, func(tx session.Tx) error {
		for range n {
			if err := tx.Revoke(w.entry()); err != nil {
				return err
			}
		}
		return nil
	})
}

// trim purges the entries that have ended by then.
func (w *world) trim(t *testing.T, by time.Time) {
	t.Helper()
	for n := 1000; n == 1000; {
		must(t, w.store.Update(t.Context(), func(tx session.Tx) (err error) {
			n, err = tx.TrimLog(by, 1000)
			return err
		}))
	}
}

func (w *world) subscribe(t *testing.T, after uint64) *client {
	t.Helper()
	r, err := w.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: after})
	must(t, err)
	c := &client{reader: r, keys: w.keys, seq: after}
	t.Cleanup(func() { c.close(feed.EndClient) })
	return c
}

// client reads as a verifier does, and refuses what a verifier would.
type client struct {
	reader   *feed.Reader
	keys     jwt.Keys
	closed   bool
	seq      uint64
	last     sid.ID // zero when not known
	alives   int    // how many have come
	comments int
}

func (c *client) close(why string) {
	if !c.closed {
		c.reader.Close(why)
	}
	c.closed = true
}

// next takes what comes next. Its error is that of the reader, or says what a verifier would
// refuse.
func (c *client) next(ctx context.Context) error {
	frames, err := c.reader.Next(ctx)
	if err != nil {
		return err
	}
	text := bytes.Join(frames, nil)
	c.comments += bytes.Count(text, []byte(": alive\n\n"))
	stream := revocation.NewFrameReader(bytes.NewReader(text))
	for {
		frame, err := stream.Next()
		if err != nil {
			return nil //nolint:nilerr // the end of what there was
		}
		if err := c.take(frame); err != nil {
			return err
		}
	}
}

var errRefused = errors.New("a verifier refuses")

func (c *client) take(frame revocation.Frame) error {
	if frame.Event == revocation.FrameAlive {
		payload, err := jwt.VerifyDocument(frame.Data, c.keys, revocation.TypeAlive, jwt.MaxTokenSize)
		if err != nil {
			return err
		}
		alive, err := revocation.DecodeAlive(payload)
		if err != nil {
			return err
		}
		if alive.Seq != c.seq || !alive.Last.IsZero() && !c.last.IsZero() && alive.Last != c.last {
			return errRefused
		}
		c.alives++
		return nil
	}
	payload, err := jwt.VerifyDocument(frame.Data, c.keys, revocation.TypeEvent, jwt.MaxTokenSize)
	if err != nil {
		return err
	}
	event, err := revocation.DecodeEvent(payload)
	if err != nil {
		return err
	}
	if event.Entry.Seq != c.seq+1 || !c.last.IsZero() && event.Prev != c.last {
		return errRefused
	}
	c.seq, c.last = event.Entry.Seq, event.Entry.SID
	return nil
}

// until reads up to the event of a number.
func (c *client) until(t *testing.T, seq uint64) {
	t.Helper()
	for c.seq < seq {
		if err := c.next(t.Context()); err != nil {
			t.Fatalf("after %d: %v", c.seq, err)
		}
	}
}
