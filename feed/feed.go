// Package feed is the issuer's side of the revocation feed: it signs revocations and hands
// them to any number of readers. docs/feed.md defines the messages.
//
// [New] makes a [Hub], [Hub.Run] follows the journal of facts as far as verifiers must know
// of it. [Hub.Snapshot] is the whole list, [Hub.Subscribe] gives a [Reader] of what is added
// to it, and [Hub.Report] takes what verifiers say that they have applied. Issuers on one store
// show each other their verifiers on a [Board]: [Hub.Followers] are those of all.
//
// Callers must know:
//
//   - Revocations are read in commit order, and each is signed once for all readers. A slow
//     reader costs one number: it holds up neither the journal nor another reader.
//   - A Reader waits for messages; its caller writes them to the client and closes the Reader.
//   - A message is signed again when the key that signed it is no longer published.
package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// Log is the part of the journal of facts that verifiers must know of; see the Log of
// package fact.
type Log interface {
	// Revocations returns up to limit revocations whose number is greater than after, in
	// order and without gaps, and the number of the oldest one that is still kept (the next
	// one to be given, when none is).
	Revocations(ctx context.Context, after uint64, limit int) (entries []revocation.Entry, first uint64, err error)
	// Watch returns a channel that gets a value whenever facts may have been added, until
	// ctx ends. Several additions may come as one value. It is never closed.
	Watch(ctx context.Context) <-chan struct{}
}

// Signer signs with the active key.
type Signer interface {
	// Sign returns the compact JWS of a payload, and the id of the key that signed it.
	Sign(typ string, payload []byte) (jws, keyID string, err error)
	// Key returns a key that is published.
	jwt.Keys
}

// Config is what a [Hub] is made of.
type Config struct {
	Issuer string // iss of every message. Required.
	Log    Log    // Required.
	Signer Signer // Required.
	Board  Board  // nil: no other issuer is on the store

	// MaxReaders is how many readers there may be at once; 0: [DefaultMaxReaders].
	MaxReaders int
	// MaxReadersPerKey is how many there may be with one service key; 0:
	// [DefaultMaxReadersPerKey].
	MaxReadersPerKey int

	Observer Observer         // nil: none
	Logger   *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // for iat; nil: time.Now
}

// The limits that hold if [Config] sets none.
const (
	DefaultMaxReaders       = 5000
	DefaultMaxReadersPerKey = 1000
)

// Observer counts what readers and verifiers do, for metrics. Its methods must not block.
type Observer interface {
	// FeedSent is called with the number of frames that a reader was given.
	FeedSent(frames int)
	// FeedEnded is called when a reader has ended, with one of the End constants.
	FeedEnded(why string)
	// FeedApplied is called when a verifier reports how long it took until it had applied a
	// revocation.
	FeedApplied(delay time.Duration)
}

// The reasons why a reader has ended.
const (
	EndLife    = "life"    // it reached the end of its life: the client connects again
	EndStopped = "stopped" // the issuer stops
	EndClient  = "client"  // the client has closed the connection
	EndSlow    = "slow"    // the client did not read
	EndGone    = "gone"    // the revocation that it reads next was trimmed
	EndFailed  = "failed"  // the log cannot be read, or nothing can be signed
)

// Ends lists the reasons why a reader can have ended.
func Ends() []string {
	return []string{EndLife, EndStopped, EndClient, EndSlow, EndGone, EndFailed}
}

// ringSize is how many of the newest revocations are in memory, signed or not: about 6 MiB
// when all are signed. A reader that is further behind costs reads of the store and
// signatures for itself alone.
const ringSize = 4096

// Hub follows the log for all readers. It is safe for concurrent use.
type Hub struct {
	cfg         Config        // mu guards its limits
	id          string        // of this issuer on the board
	reading     chan struct{} // semaphore: the log is read by one at a time
	replaying   chan struct{} // semaphore: one reader at a time has revocations signed for itself
	aliveWanted chan struct{} // asks Run for an alive message
	stopping    chan struct{} // closed by Stop
	stop        sync.Once

	snapshots snapshots
	verifiers verifiers

	mu           sync.Mutex
	history      uint64            // counts how often the log has gone back
	loaded       bool              // the log has been read to its end once
	head         uint64            // the number of the newest revocation
	last         sid.ID            // the identifier in it; zero when not known
	ring         [ringSize]*record // the newest revocations up to head, at number % ringSize
	held         uint64            // how many the ring holds
	headChanged  chan struct{}     // closed when head changes
	alive        *aliveMessage     // the newest; nil before the first
	aliveChanged chan struct{}     // closed when alive changes
	readers      int               // open now
	byKey        map[string]int    // open readers by service key
}

// New makes a Hub.
func New(cfg Config) (*Hub, error) {
	if cfg.Issuer == "" || cfg.Log == nil || cfg.Signer == nil {
		return nil, errors.New("feed: Issuer, Log and Signer are required")
	}
	if cfg.MaxReaders == 0 {
		cfg.MaxReaders = DefaultMaxReaders
	}
	if cfg.MaxReadersPerKey == 0 {
		cfg.MaxReadersPerKey = DefaultMaxReadersPerKey
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observer == nil {
		cfg.Observer = noObserver{}
	}
	return &Hub{
		cfg: cfg, id: rand.Text(), reading: make(chan struct{}, 1), replaying: make(chan struct{}, 1),
		aliveWanted: make(chan struct{}, 1), stopping: make(chan struct{}),
		headChanged: make(chan struct{}), aliveChanged: make(chan struct{}), byKey: make(map[string]int),
		snapshots: newSnapshots(), verifiers: newVerifiers(),
	}, nil
}

type noObserver struct{}

func (noObserver) FeedSent(int)              {}
func (noObserver) FeedEnded(string)          {}
func (noObserver) FeedApplied(time.Duration) {}

// retryAfter is when the log is read again after an error.
const retryAfter = time.Second

// Run follows the log until ctx ends; then every reader ends.
func (h *Hub) Run(ctx context.Context) error {
	var posting sync.WaitGroup
	defer posting.Wait()
	defer h.Stop()
	if h.cfg.Board != nil {
		posting.Go(func() { h.post(ctx) })
	}
	added := h.cfg.Log.Watch(ctx)
	read, sign := time.NewTimer(0), time.NewTimer(0)
	defer read.Stop()
	defer sign.Stop()
	sign.Stop() // until an alive message is asked for
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.aliveWanted:
			sign.Reset(h.nextAliveIn())
		case <-sign.C:
			h.retryOnError(ctx, sign, h.signAlive)
		case <-added:
			h.retryOnError(ctx, read, h.readLog)
		case <-read.C:
			h.retryOnError(ctx, read, h.readLog)
		}
	}
}

// retryOnError does something, and if that fails, logs why and sets the timer to try again.
func (h *Hub) retryOnError(ctx context.Context, timer *time.Timer, do func(context.Context) error) {
	err := do(ctx)
	if err == nil {
		return
	}
	if ctx.Err() == nil {
		h.cfg.Logger.WarnContext(ctx, "the revocation feed stands still", "error", err)
	}
	timer.Reset(retryAfter)
}

// Stop ends every reader and admits no more. It may be called again.
func (h *Hub) Stop() { h.stop.Do(func() { close(h.stopping) }) }

func (h *Hub) stopped() bool {
	select {
	case <-h.stopping:
		return true
	default:
		return false
	}
}

// SetLimits replaces the limits MaxReaders and MaxReadersPerKey of [Config]. Readers that are open
// stay open.
func (h *Hub) SetLimits(readers, perKey int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cfg.MaxReaders, h.cfg.MaxReadersPerKey = readers, perKey
}

// Head is the number of the newest revocation that the hub has read, 0 when there is none.
func (h *Hub) Head() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// Readers is the number of open readers.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers
}

// acquire takes the only place of a semaphore; release gives it back.
func acquire(ctx context.Context, semaphore chan struct{}) (release func(), err error) {
	select {
	case semaphore <- struct{}{}:
		return func() { <-semaphore }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the log: %w", ctx.Err())
	}
}
