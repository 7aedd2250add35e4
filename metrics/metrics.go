// Package metrics counts what the issuer does, for Prometheus.
//
// [New] makes a [Metrics]. It is the observer of package session and of package handlers,
// [Metrics.Committed] takes the commits of the store, and [Metrics.Handler] answers the
// scrapes. Every label has a small fixed set of values: routes are patterns, and neither a
// user nor a session nor an address is one.
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

// Config says where the values come from that are read at each scrape.
type Config struct {
	Live func() int64      // how many sessions are live; nil: not shown
	Keys func() []keys.Key // the signing keys; nil: not shown
	// Streams is how many streams of the revocation feed are open; nil: not shown.
	Streams func() int
	Now     func() time.Time // nil: time.Now
}

// Metrics holds the counters. It is safe for concurrent use, and none of its methods
// blocks.
type Metrics struct {
	registry *prometheus.Registry

	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec

	minted    prometheus.Counter
	refreshed map[string]prometheus.Counter
	otherwise prometheus.Counter // refreshes of an outcome that is not known here
	ended     *prometheus.CounterVec

	commitCallers prometheus.Histogram
	commitTook    prometheus.Histogram

	feedSent    prometheus.Counter
	feedEnded   map[string]prometheus.Counter
	feedApplied prometheus.Histogram
}

// New makes the counters, in a registry of their own.
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

// Handler answers scrapes in the formats that Prometheus asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
