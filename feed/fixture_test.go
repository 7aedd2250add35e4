package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/secret"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

const issuer = "https://id.example.com"

// fixture is a feed over a real store and real keys.
type fixture struct {
	store *bolt.DB
	keys  *keys.Manager
	hub   *feed.Hub
	marks *atomic.Int64 // how many users' sessions were revoked
	seen  *observed
}

// observed is an observer, and a signer that counts its signatures.
type observed struct {
	*keys.Manager

	mu      sync.Mutex
	ended   map[string]int
	applied []time.Duration
	signed  map[string]int // by typ
}

func (s *observed) FeedSent(int) {}

func (s *observed) FeedEnded(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[why]++
}

func (s *observed) FeedApplied(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = append(s.applied, d)
}

func (s *observed) Sign(typ string, payload []byte) (jws, keyID string, err error) {
	s.mu.Lock()
	s.signed[typ]++
	s.mu.Unlock()
	return s.Manager.Sign(typ, payload)
}

func (s *observed) signatures(typ string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed[typ]
}

// newFixture makes a fixture whose hub does not run yet.
func newFixture(t *testing.T, change func(*feed.Config)) *fixture {
	t.Helper()
	f := &fixture{marks: new(atomic.Int64), seen: &observed{ended: map[string]int{}, signed: map[string]int{}}}
	var err error
	f.store, err = bolt.Open(t.Context(), bolt.Config{Path: filepath.Join(t.TempDir(), "issuer.db")})
	must(t, err)
	t.Cleanup(func() { _ = f.store.Close() })
	key, err := secret.Parse([]byte(strings.Repeat("feed-secret.", 4)))
	must(t, err)
	f.keys, err = keys.Open(t.Context(), keys.Config{Store: f.store, Secrets: []secret.Secret{key}})
	must(t, err)
	f.seen.Manager = f.keys
	f.newHub(t, change)
	return f
}

func (f *fixture) newHub(t *testing.T, change func(*feed.Config)) {
	t.Helper()
	cfg := feed.Config{Issuer: issuer, Log: f.store, Signer: f.seen, Observer: f.seen}
	if change != nil {
		change(&cfg)
	}
	var err error
	f.hub, err = feed.New(cfg)
	must(t, err)
}

// run runs the hub until the function that it returns is called, or the test ends.
func (f *fixture) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	hub := f.hub
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

// verifiers returns those that the hub knows.
func (f *fixture) verifiers(t *testing.T) []feed.Verifier {
	t.Helper()
	all, err := f.hub.Followers(t.Context())
	must(t, err)
	return all.Verifiers
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mark is a revocation of a user's sessions that verifiers need for so long.
func (f *fixture) mark(ctx context.Context, life time.Duration) error {
	now := time.Now()
	_, err := f.store.Mark(ctx, session.MarkRequest{
		Scope: revocation.UserScope(fmt.Sprint("u", f.marks.Add(1))), At: now, Reason: "sign_out",
		Notice: session.Notice{Issued: now, Life: life}, Judge: live,
	})
	return err
}

// live is the verdict on sessions that never end.
func live(session.Snapshot) session.Verdict { return session.Verdict{} }

// revoke adds so many revocations to the journal, each needed for five minutes.
func (f *fixture) revoke(ctx context.Context, n int) error {
	var (
		all  sync.WaitGroup
		errs = make([]error, n)
	)
	for i := range n {
		all.Go(func() { errs[i] = f.mark(ctx, 5*time.Minute) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// trim removes the revocations that verifiers need no longer by then.
func (f *fixture) trim(t *testing.T, by time.Time) {
	t.Helper()
	for more := true; more; {
		swept, err := f.store.Sweep(t.Context(), session.SweepRequest{Now: by, Judge: live})
		must(t, err)
		more = swept.More
	}
}

func (f *fixture) subscribe(t *testing.T, after uint64) *client {
	t.Helper()
	r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: after})
	must(t, err)
	c := &client{reader: r, keys: f.keys, seq: after}
	t.Cleanup(func() { c.close(feed.EndClient) })
	return c
}

// client reads as a verifier does, and refuses what a verifier would.
type client struct {
	reader   *feed.Reader
	keys     jwt.Keys
	closed   bool
	seq      uint64
	last     sid.ID // the identifier in the last event; zero when not known
	prev     sid.ID // the one before it, as the last event says
	alives   int    // how many alive messages have come
	comments int
}

func (c *client) close(why string) {
	if !c.closed {
		c.reader.Close(why)
	}
	c.closed = true
}

// next reads and checks what comes next. Its error is that of the reader, or errRefused if a
// verifier would refuse it.
func (c *client) next(ctx context.Context) error {
	frames, err := c.reader.Next(ctx)
	if err != nil {
		return err
	}
	text := bytes.Join(frames, nil)
	c.comments += bytes.Count(text, []byte(": alive\n\n"))
	stream := list.NewFrameReader(bytes.NewReader(text))
	for {
		frame, err := stream.Next()
		if err != nil {
			return nil //nolint:nilerr // the end of what there was
		}
		if err := c.check(frame); err != nil {
			return err
		}
	}
}

var errRefused = errors.New("a verifier refuses")

// check refuses what a verifier would refuse.
func (c *client) check(frame list.Frame) error {
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
	c.seq, c.last, c.prev = event.Entry.Seq, event.Entry.SID, event.Prev
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
