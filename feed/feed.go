// Package feed is the issuer's side of the revocation feed: it makes the revocation log
// into signed messages and hands them to any number of readers. docs/feed.md is their form.
//
// [New] makes a [Hub], [Hub.Run] follows the log. [Hub.Snapshot] is the whole list,
// [Hub.Subscribe] gives a [Reader] of what is added to it, and [Hub.Report] takes what
// verifiers say that they have applied.
//
// Callers must know:
//
//   - The log is read in commit order, and every entry is signed once for all readers. A
//     reader that is slow is a number and nothing else: it holds up neither the log nor
//     another reader.
//   - A Reader waits; what it returns is written by its caller, who closes it.
//   - A message is signed again when the key that signed it is published no longer.
package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// Log is the revocation log, as the store keeps it.
type Log interface {
	// Entries returns up to limit entries whose number is greater than after, in order
	// and without gaps, and the number of the oldest entry that is still kept (the next
	// one to be given, when none is).
	Entries(ctx context.Context, after uint64, limit int) (entries []revocation.Entry, first uint64, err error)
	// Watch returns a channel that gets a value whenever entries may have been added,
	// until ctx ends. Several additions may come as one value. It is never closed.
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

	// MaxReaders is how many readers there may be at once; 0: [DefaultMaxReaders].
	MaxReaders int
	// MaxReadersPerKey is how many there may be with one service key; 0:
	// [DefaultMaxReadersPerKey].
	MaxReadersPerKey int

	Observer Observer         // nil: nobody hears of readers and reports
	Logger   *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // of iat; nil: time.Now
}

// How many readers there may be when nothing else is said.
const (
	DefaultMaxReaders       = 5000
	DefaultMaxReadersPerKey = 1000
)

// Observer hears of readers and reports, for metrics. Its methods must not block.
type Observer interface {
	// FeedSent hears how many frames a reader has been given.
	FeedSent(frames int)
	// FeedEnded hears that a reader has ended, and why: one of the End constants.
	FeedEnded(why string)
	// FeedApplied hears how long an event took to be applied, as a verifier reports it.
	FeedApplied(delay time.Duration)
}

// Why a reader has ended.
const (
	EndLife    = "life"    // it was its time: the client connects anew
	EndStopped = "stopped" // the issuer stops
	EndClient  = "client"  // the client has gone
	EndSlow    = "slow"    // the client did not read
	EndGone    = "gone"    // what it is to read next is purged
	EndFailed  = "failed"  // the log cannot be read, or nothing can be signed
)

// Ends lists why a reader can have ended.
func Ends() []string {
	return []string{EndLife, EndStopped, EndClient, EndSlow, EndGone, EndFailed}
}

// ringSize is how many of the newest entries are at hand, signed or not: about 6 MiB when
// all are signed. A reader further behind costs reads of the store and signatures of its
// own.
const ringSize = 4096

// Hub follows the log for all readers. It is safe for concurrent use.
type Hub struct {
	cfg      Config
	pulling  chan struct{} // holds a token while the log is read
	replay   chan struct{} // holds a token while entries are signed for one reader alone
	wanted   chan struct{} // asks for an alive
	stopping chan struct{} // closed by Stop
	stop     sync.Once

	snapshots snapshots
	verifiers verifiers

	mu      sync.Mutex
	loaded  bool              // the log has been read once
	head    uint64            // the newest number
	last    sid.ID            // the identifier in it, zero when not known
	ring    [ringSize]*record // those up to head, at number % ringSize
	held    uint64            // how many
	grown   chan struct{}     // closed when head changes
	alive   *alive            // the newest; nil before the first
	alives  chan struct{}     // closed when alive changes
	readers int               // now
	byKey   map[string]int    // readers by service key
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
		cfg.Observer = unobserved{}
	}
	return &Hub{
		cfg: cfg, pulling: make(chan struct{}, 1), replay: make(chan struct{}, 1),
		wanted: make(chan struct{}, 1), stopping: make(chan struct{}),
		grown: make(chan struct{}), alives: make(chan struct{}), byKey: make(map[string]int),
		snapshots: newSnapshots(), verifiers: newVerifiers(),
	}, nil
}

type unobserved struct{}

func (unobserved) FeedSent(int)              {}
func (unobserved) FeedEnded(string)          {}
func (unobserved) FeedApplied(time.Duration) {}

// retryAfter is when the log is read again after it could not be.
const retryAfter = time.Second

// Run follows the log until ctx ends; then every reader ends.
func (h *Hub) Run(ctx context.Context) error {
	defer h.Stop()
	added := h.cfg.Log.Watch(ctx)
	retry, due := time.NewTimer(0), time.NewTimer(0)
	defer retry.Stop()
	defer due.Stop()
	due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.wanted:
			due.Reset(h.untilAlive())
		case <-due.C:
			if err := h.speak(ctx); err != nil {
				h.failed(ctx, err)
				due.Reset(retryAfter)
			}
		case <-added:
			h.follow(ctx, retry)
		case <-retry.C:
			h.follow(ctx, retry)
		}
	}
}

func (h *Hub) follow(ctx context.Context, retry *time.Timer) {
	if err := h.pull(ctx); err != nil {
		h.failed(ctx, err)
		retry.Reset(retryAfter)
	}
}

func (h *Hub) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		h.cfg.Logger.WarnContext(ctx, "the revocation feed stands still", "error", err)
	}
}

// Stop ends every reader and takes no more. It may be repeated.
func (h *Hub) Stop() { h.stop.Do(func() { close(h.stopping) }) }

func (h *Hub) stopped() bool {
	select {
	case <-h.stopping:
		return true
	default:
		return false
	}
}

// Head is the number of the newest entry that is known, 0 when there is none.
func (h *Hub) Head() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// Readers is how many readers there are.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers
}

// enter takes the token of ch; the function that it returns gives it back.
func enter(ctx context.Context, ch chan struct{}) (leave func(), err error) {
	select {
	case ch <- struct{}{}:
		return func() { <-ch }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the log: %w", ctx.Err())
	}
}
