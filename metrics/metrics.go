// Package metrics exports the issuer's metrics to Prometheus.
//
// [New] returns a [Metrics], which implements the observers of the packages session,
// handlers and feed. [Metrics.Committed] counts the commits of the store, and
// [Metrics.Handler] serves scrapes. Every label has a small fixed set of values: routes are
// patterns, and no label is a user, a session or an address.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"issuer.example/feed"
	"issuer.example/handlers/exchange"
	"issuer.example/keys"
	"issuer.example/session"
)

var (
	_ session.Observer  = (*Metrics)(nil)
	_ exchange.Observer = (*Metrics)(nil)
	_ feed.Observer     = (*Metrics)(nil)
)

// Config has the sources of the values that are read at each scrape.
type Config struct {
	Live    func() int64      // how many sessions are live; nil: no metric
	Keys    func() []keys.Key // the signing keys; nil: no metric
	Streams func() int        // how many streams of the revocation feed are open; nil: no metric
	Now     func() time.Time  // nil: time.Now
}

// Metrics has the counters and histograms. It is safe for concurrent use, and no method
// blocks.
type Metrics struct {
	registry *prometheus.Registry

	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec

	minted    prometheus.Counter
	refreshed map[string]prometheus.Counter
	otherwise prometheus.Counter // refreshes with an unknown outcome
	ended     *prometheus.CounterVec

	commitCallers prometheus.Histogram
	commitTook    prometheus.Histogram

	feedSent    prometheus.Counter
	feedEnded   map[string]prometheus.Counter
	feedApplied prometheus.Histogram
}

// New registers all metrics in a registry of its own.
func New(cfg Config) *Metrics {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Metrics{registry: prometheus.NewRegistry(), refreshed: make(map[string]prometheus.Counter)}
	m.countRequests()
	m.countSessions()
	m.countCommits()
	m.countFeed()
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
	if cfg.Keys != nil {
		m.registry.MustRegister(newKeyCollector(cfg.Keys, cfg.Now))
	}
	return m
}

// Handler serves scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
