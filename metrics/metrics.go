// Package metrics counts what the issuer does, for Prometheus.
//
// [New] returns a [Metrics]. It is the observer of the packages session, feed and handlers;
// [Metrics.CountFacts] counts sessions by the journal of facts, [Metrics.Committed] counts
// commits of the store, and [Metrics.Handler] serves the scrapes.
// Every label has a small fixed set of values: routes are patterns, and no label holds a user,
// a session or an address.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"issuer.example/feed"
	"issuer.example/keys"
	"issuer.example/session"
)

var (
	_ session.Observer = (*Metrics)(nil)
	_ feed.Observer    = (*Metrics)(nil)
)

// Config holds the sources of the values that are read at each scrape.
type Config struct {
	Live func() int64      // number of live sessions; nil: not exported
	Keys func() []keys.Key // the signing keys; nil: not exported
	// Streams is the number of open streams of the revocation feed; nil: not exported.
	Streams func() int
	// LogDropped is the number of lines of the log that were dropped; nil: not exported.
	LogDropped func() int64
	Now        func() time.Time // nil: time.Now
}

// Metrics holds the counters. It is safe for concurrent use, and none of its methods
// blocks.
type Metrics struct {
	registry *prometheus.Registry

	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec

	minted         prometheus.Counter
	refreshed      map[string]prometheus.Counter
	refreshedOther prometheus.Counter // outcomes that are not in session.Outcomes
	ended          *prometheus.CounterVec
	factsMissed    prometheus.Counter

	commitCallers prometheus.Histogram
	commitTook    prometheus.Histogram

	feedSent    prometheus.Counter
	feedEnded   map[string]prometheus.Counter
	feedApplied prometheus.Histogram
}

// New creates the counters, in their own registry.
func New(cfg Config) *Metrics {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Metrics{registry: prometheus.NewRegistry(), refreshed: make(map[string]prometheus.Counter)}
	m.registerRequests()
	m.registerSessions()
	m.registerCommits()
	m.registerFeed()
	m.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if cfg.Live != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "issuer_sessions_live", Help: "Sessions without a recorded end.",
		}, func() float64 { return float64(cfg.Live()) }))
	}
	if cfg.Streams != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "issuer_feed_streams", Help: "Open streams of the revocation feed.",
		}, func() float64 { return float64(cfg.Streams()) }))
	}
	if cfg.LogDropped != nil {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "issuer_log_lines_dropped_total", Help: "Lines of the log that were dropped because its reader did not read.",
		}, func() float64 { return float64(cfg.LogDropped()) }))
	}
	if cfg.Keys != nil {
		m.registry.MustRegister(newKeyCollector(cfg.Keys, cfg.Now))
	}
	return m
}

// Handler serves scrapes, in the format that the scraper asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
