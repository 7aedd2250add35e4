package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"issuer.example/fact"
)

// Journal is the part of [fact.Log] that a [FactCounter] reads.
type Journal interface {
	Head(ctx context.Context) (uint64, error)
	Facts(ctx context.Context, after uint64, limit int) (facts []fact.Fact, first uint64, err error)
	Watch(ctx context.Context) <-chan struct{}
}

const (
	// factsRead is how many facts are read at once.
	factsRead = 512
	// factsRetry is when the journal is read again after an error.
	factsRetry = time.Second
)

// FactCounter counts the sessions that were created and ended, as the journal of facts
// records them. Every issuer on a store reads the same journal: their counts are not to be
// added up.
type FactCounter struct {
	metrics *Metrics
	journal Journal
	logger  *slog.Logger
	after   uint64 // the number of the last fact that was counted
}

// CountFacts returns a counter of the facts that are added to the journal from now on. With
// a nil logger it logs to slog.Default.
func (m *Metrics) CountFacts(ctx context.Context, journal Journal, logger *slog.Logger) (*FactCounter, error) {
	head, err := journal.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the end of the journal: %w", err)
	}
	if logger == nil {
		logger = slog.Default()
	}
	return &FactCounter{metrics: m, journal: journal, logger: logger, after: head}, nil
}

// Run counts until the context ends. While the journal cannot be read it logs that and tries
// again.
func (c *FactCounter) Run(ctx context.Context) error {
	added := c.journal.Watch(ctx)
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-added:
		case <-retry.C:
		}
		if err := c.Count(ctx); err != nil && ctx.Err() == nil {
			c.logger.WarnContext(ctx, "sessions are not counted for the metrics", slog.Any("error", err))
			retry.Reset(factsRetry)
		}
	}
}

// Count counts what was added to the journal since the last call. It must not be called
// while Run is under way.
func (c *FactCounter) Count(ctx context.Context) error {
	for {
		facts, first, err := c.journal.Facts(ctx, c.after, factsRead)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if first > c.after+1 {
			c.miss(ctx, first)
		}
		for i := range facts {
			if facts[i].Number > c.after+1 {
				c.miss(ctx, facts[i].Number)
			}
			c.metrics.countFact(&facts[i])
			c.after = facts[i].Number
		}
		if len(facts) < factsRead {
			return nil
		}
	}
}

// miss notes that the facts before the next one cannot be counted any more.
func (c *FactCounter) miss(ctx context.Context, next uint64) {
	missed := next - 1 - c.after
	c.metrics.factsMissed.Add(float64(missed))
	c.logger.WarnContext(ctx, "facts were removed from the journal, or damaged, before they were counted",
		slog.Uint64("facts", missed))
	c.after = next - 1
}

func (m *Metrics) countFact(f *fact.Fact) {
	switch f.Kind {
	case fact.Created:
		m.minted.Inc()
	case fact.Ended:
		m.ended.WithLabelValues(f.What).Inc()
	case fact.Changed, fact.Marked, fact.KeyChanged, fact.Administered:
	}
}
