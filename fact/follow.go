package fact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// pageSize is how many facts are read at once.
	pageSize = 512
	// retryAfter is when the journal is read again after an error.
	retryAfter = time.Second
)

// Journal is the part of [Log] that a [Follower] reads.
type Journal interface {
	Head(ctx context.Context) (uint64, error)
	Facts(ctx context.Context, after uint64, limit int) (facts []Fact, first uint64, err error)
	Watch(ctx context.Context) <-chan struct{}
}

// Consumer is given the facts of a journal, one by one and in order. Its methods must not block.
type Consumer interface {
	// TakeFact is given the next fact. It must not keep it.
	TakeFact(f *Fact)
	// MissFacts is called when facts were removed from the journal, or damaged, before they
	// could be read; n is 0 if nobody knows how many, because the store has lost its newest writes.
	MissFacts(n uint64)
}

// FollowConfig is what a [Follower] is made of.
type FollowConfig struct {
	Journal   Journal      // required
	Consumers []Consumer   // each is given all facts
	Logger    *slog.Logger // nil: slog.Default
}

// Follower reads a journal once for several consumers: what is added to it from now on.
type Follower struct {
	cfg   FollowConfig
	after uint64 // the number of the last fact that was read
}

// Follow returns a follower that begins at the end of the journal.
func Follow(ctx context.Context, cfg FollowConfig) (*Follower, error) {
	if cfg.Journal == nil {
		return nil, errors.New("fact: Journal is required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	head, err := cfg.Journal.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the end of the journal: %w", err)
	}
	return &Follower{cfg: cfg, after: head}, nil
}

// Run follows the journal until the context ends. While that cannot be read, it logs why and
// tries again.
func (f *Follower) Run(ctx context.Context) error {
	added := f.cfg.Journal.Watch(ctx)
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-added:
		case <-retry.C:
		}
		if err := f.Read(ctx); err != nil && ctx.Err() == nil {
			f.cfg.Logger.WarnContext(ctx, "the journal of facts cannot be read: sessions are not counted for the metrics", slog.Any("error", err))
			retry.Reset(retryAfter)
		}
	}
}

// Read reads what was added to the journal since the last call. It must not be called while Run
// is under way.
func (f *Follower) Read(ctx context.Context) error {
	for {
		facts, first, err := f.cfg.Journal.Facts(ctx, f.after, pageSize)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if first > f.after+1 {
			f.miss(ctx, first)
		}
		for i := range facts {
			if facts[i].Number > f.after+1 {
				f.miss(ctx, facts[i].Number)
			}
			f.after = facts[i].Number
			for _, c := range f.cfg.Consumers {
				c.TakeFact(&facts[i])
			}
		}
		if len(facts) == 0 {
			return f.checkEnd(ctx)
		}
		if len(facts) < pageSize {
			return nil
		}
	}
}

// checkEnd goes back to the end of a journal that has lost what was read: facts with these numbers will be added again.
func (f *Follower) checkEnd(ctx context.Context) error {
	head, err := f.cfg.Journal.Head(ctx)
	if err != nil {
		return fmt.Errorf("reading the end of the journal: %w", err)
	}
	if head >= f.after {
		return nil
	}
	f.cfg.Logger.WarnContext(ctx, "the journal has gone back: an older state of the store was restored, or a standby took over that lacked the newest writes",
		slog.Uint64("from", f.after), slog.Uint64("to", head))
	f.after = head
	for _, c := range f.cfg.Consumers {
		c.MissFacts(0)
	}
	return nil
}

// miss notes that the facts before the next one cannot be read any more.
func (f *Follower) miss(ctx context.Context, next uint64) {
	missed := next - 1 - f.after
	f.cfg.Logger.WarnContext(ctx, "facts were removed from the journal, or damaged, before they were counted",
		slog.Uint64("facts", missed))
	f.after = next - 1
	for _, c := range f.cfg.Consumers {
		c.MissFacts(missed)
	}
}
