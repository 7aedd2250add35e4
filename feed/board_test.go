package feed_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/feed"
)

var errBoard = errors.New("the board is out of order")

// board is a board in memory that can be out of order.
type board struct {
	mu    sync.Mutex
	posts map[string]feed.Posting // Age is not set
	at    map[string]time.Time
	n     int // how often something was posted
	down  bool
}

func newBoard() *board { return &board{posts: map[string]feed.Posting{}, at: map[string]time.Time{}} }

// Post implements [feed.Board].
func (b *board) Post(_ context.Context, issuer string, document []byte, keep time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errBoard
	}
	b.n++
	b.posts[issuer], b.at[issuer] = feed.Posting{Issuer: issuer, Document: slices.Clone(document)}, time.Now()
	for id, at := range b.at {
		if time.Since(at) > keep {
			delete(b.posts, id)
			delete(b.at, id)
		}
	}
	return nil
}

// Postings implements [feed.Board].
func (b *board) Postings(context.Context) (list []feed.Posting, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return nil, errBoard
	}
	for id, p := range b.posts {
		p.Age = time.Since(b.at[id])
		list = append(list, p)
	}
	return list, nil
}

func (b *board) set(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

func (b *board) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// beside returns another issuer on the same store.
func (f *fixture) beside(t *testing.T, change func(*feed.Config)) *fixture {
	t.Helper()
	other := *f
	other.newHub(t, change)
	return &other
}

// twoIssuers run on one store and show each other their verifiers.
func twoIssuers(t *testing.T, a, b feed.Board) (first, second *fixture, stopSecond func()) {
	t.Helper()
	first = newFixture(t, func(c *feed.Config) { c.Board = a })
	second = first.beside(t, func(c *feed.Config) { c.Board = b })
	first.run(t)
	return first, second, second.run(t)
}

func (f *fixture) followers(t *testing.T) feed.Followers {
	t.Helper()
	all, err := f.hub.Followers(t.Context())
	must(t, err)
	return all
}

func open(t *testing.T, f *fixture, name string) *feed.Reader {
	t.Helper()
	r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", Verifier: name})
	must(t, err)
	return r
}

// Every issuer shows the verifiers of all. One that went from issuer to issuer is there once, with
// its newest report.
func TestVerifiersOfAllIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		a, b, stop := twoIssuers(t, shared, shared)
		a.hub.Report("fleet", "moved", 7, 18*time.Millisecond)
		left := open(t, a, "moved")
		time.Sleep(time.Second) // of the bubble's clock
		left.Close(feed.EndClient)
		now := time.Now()
		b.hub.Report("fleet", "moved", 9, time.Millisecond)
		defer open(t, b, "moved").Close(feed.EndClient)
		defer open(t, b, "").Close(feed.EndClient) // a stream without a name
		defer open(t, a, "both").Close(feed.EndClient)
		defer open(t, b, "both").Close(feed.EndClient)
		time.Sleep(2 * time.Second)
		moved := feed.Verifier{Key: "fleet", Name: "moved", Seq: 9, Delay: time.Millisecond, ReportedAt: now.UTC(), Streams: 1}
		want := feed.Followers{Streams: 4, Verifiers: []feed.Verifier{{Key: "fleet", Name: "both", Streams: 2}, moved}}
		for _, f := range []*fixture{a, b} {
			if diff := cmp.Diff(want, f.followers(t)); diff != "" {
				t.Error(diff)
			}
		}
		stop() // its streams end with it
		moved.Streams = 0
		want = feed.Followers{Streams: 1, Verifiers: []feed.Verifier{{Key: "fleet", Name: "both", Streams: 1}, moved}}
		if diff := cmp.Diff(want, a.followers(t)); diff != "" {
			t.Errorf("when one has stopped: %s", diff)
		}
	})
}

// cut is the board as an issuer sees it whose connection can be cut.
type cut struct {
	*board

	own board
}

func (c *cut) Post(ctx context.Context, issuer string, document []byte, keep time.Duration) error {
	c.own.mu.Lock()
	down := c.own.down
	c.own.mu.Unlock()
	if down {
		return errBoard
	}
	return c.board.Post(ctx, issuer, document, keep)
}

// What an issuer has posted that dies is forgotten: its streams after two minutes, its verifiers
// when they have been silent for an hour.
func TestVerifiersOfADeadIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		dying := &cut{board: shared}
		a, b, _ := twoIssuers(t, shared, dying)
		b.hub.Report("fleet", "v", 3, 0)
		r := open(t, b, "v")
		defer r.Close(feed.EndClient)
		time.Sleep(20 * time.Minute)
		if all := a.followers(t); all.Streams != 1 || len(all.Verifiers) != 1 || all.Verifiers[0].Streams != 1 {
			t.Fatalf("while it lives: %+v", all)
		}
		dying.own.set(true)
		time.Sleep(2*time.Minute + 5*time.Second)
		if all := a.followers(t); all.Streams != 0 || len(all.Verifiers) != 1 || all.Verifiers[0].Streams != 0 || all.Verifiers[0].Seq != 3 {
			t.Errorf("after two minutes: %+v", all)
		}
		time.Sleep(time.Hour)
		if all := a.followers(t); len(all.Verifiers) != 0 {
			t.Errorf("after an hour: %+v", all)
		}
		a.hub.Report("fleet", "w", 1, 0) // the next posting removes what is old
		time.Sleep(2 * time.Second)
		if list, err := shared.Postings(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%d postings are left: %v", len(list), err)
		}
	})
}

// A board that is out of order disturbs no stream. The list says so instead of being too short, and
// is complete again when the board is back.
func TestBoardOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		a, b, _ := twoIssuers(t, shared, shared)
		shared.set(true)
		c := a.subscribe(t, 0)
		b.hub.Report("fleet", "v", 3, 0)
		must(t, a.revoke(t.Context(), 3))
		c.until(t, 3)
		time.Sleep(time.Minute)
		if _, err := a.hub.Followers(t.Context()); !errors.Is(err, errBoard) {
			t.Errorf("error %v, want the board's", err)
		}
		shared.set(false)
		time.Sleep(10 * time.Second)
		if all := a.followers(t); len(all.Verifiers) != 1 {
			t.Errorf("when it is back: %+v", all)
		}
	})
}

// An issuer posts at most once a second, and what does not change twice a minute.
func TestPostingsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		a, _, _ := twoIssuers(t, shared, shared)
		time.Sleep(10 * time.Minute)
		if n := shared.count(); n != 0 {
			t.Errorf("%d postings of no verifiers", n)
		}
		for range 100 {
			for range 10 {
				a.hub.Report("fleet", "v", 3, 0)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := shared.count(); n < 9 || n > 11 {
			t.Errorf("%d postings in 10 s", n)
		}
		before := shared.count()
		time.Sleep(10 * time.Minute)
		if n := shared.count() - before; n < 19 || n > 21 {
			t.Errorf("%d postings of the same in 10 minutes", n)
		}
	})
}

// What another issuer has posted is not trusted to be readable.
func TestUnreadablePosting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		a, _, _ := twoIssuers(t, shared, shared)
		must(t, shared.Post(t.Context(), "broken", []byte(`{"streams":1,`), time.Hour))
		must(t, shared.Post(t.Context(), "large", append(make([]byte, 3<<20), `{"streams":1}`...), time.Hour))
		must(t, shared.Post(t.Context(), "newer", []byte(`{"streams":1,"more":2,"verifiers":[{"key":"fleet","name":"v","seq":4}]}`), time.Hour))
		want := feed.Followers{Streams: 1, Verifiers: []feed.Verifier{{Key: "fleet", Name: "v", Seq: 4}}}
		if diff := cmp.Diff(want, a.followers(t)); diff != "" {
			t.Error(diff)
		}
	})
}
