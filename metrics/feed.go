package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"issuer.example/feed"
)

func (m *Metrics) registerFeed() {
	m.feedSent = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "issuer_feed_frames_sent_total", Help: "Frames given to streams of the revocation feed.",
	})
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "issuer_feed_streams_ended_total",
		Help: "Streams of the revocation feed that have ended, by reason; slow: the reader was dropped, gone: its resume point was purged.",
	}, []string{"reason"})
	m.feedApplied = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "issuer_feed_applied_delay_seconds",
		Help:    "From a revocation to its being applied, as the verifiers report it by their clocks.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 15), // 1 ms to 16 s
	})
	m.registry.MustRegister(m.feedSent, ended, m.feedApplied)
	m.feedEnded = make(map[string]prometheus.Counter)
	for _, why := range feed.Ends() {
		m.feedEnded[why] = ended.WithLabelValues(why)
	}
}

// FeedSent counts frames that were handed to a stream.
func (m *Metrics) FeedSent(frames int) { m.feedSent.Add(float64(frames)) }

// FeedEnded counts an ended stream by reason: one of [feed.Ends].
func (m *Metrics) FeedEnded(why string) {
	if counter, ok := m.feedEnded[why]; ok {
		counter.Inc()
	}
}

// FeedApplied records the time from a revocation to its application by a verifier.
func (m *Metrics) FeedApplied(delay time.Duration) { m.feedApplied.Observe(delay.Seconds()) }
