package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"issuer.example/session"
)

// registerSessions registers the counters of sessions. Every outcome is shown from the start,
// with 0, so that a rate over it is right at its first increase.
func (m *Metrics) registerSessions() {
	m.minted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "issuer_sessions_minted_total", Help: "Sessions begun.",
	})
	refreshes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "issuer_refreshes_total",
		Help: "Refreshes of authentic tokens, by outcome: a row of the redeem table, or why the session had ended.",
	}, []string{"outcome"})
	m.ended = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "issuer_sessions_ended_total", Help: "Sessions ended, by reason.",
	}, []string{"reason"})
	m.factsMissed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "issuer_facts_missed_total",
		Help: "Facts that were removed from the journal before they were counted: the sessions minted and ended are too few.",
	})
	m.registry.MustRegister(m.minted, refreshes, m.ended, m.factsMissed)
	for _, outcome := range session.Outcomes() {
		m.refreshed[string(outcome)] = refreshes.WithLabelValues(string(outcome))
	}
	m.refreshedOther = refreshes.WithLabelValues("other")
}

// Refreshed counts a refresh by its outcome: one of [session.Outcomes]. Any other value is
// counted as "other", so that the label keeps a small set of values.
func (m *Metrics) Refreshed(outcome string) {
	if counter, ok := m.refreshed[outcome]; ok {
		counter.Inc()
		return
	}
	m.refreshedOther.Inc()
}

func (m *Metrics) registerCommits() {
	m.commitCallers = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "issuer_commit_batch_size", Help: "How many writers shared a commit of the store.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 11), // 1 to 1,024
	})
	m.commitTook = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "issuer_commit_duration_seconds", Help: "How long a commit of the store took until it was durable.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15), // 0.1 ms to 1.6 s
	})
	m.registry.MustRegister(m.commitCallers, m.commitTook)
}

// Committed counts one commit of the store: how many callers it served and how long it took
// until it was durable.
func (m *Metrics) Committed(callers int, took time.Duration) {
	m.commitCallers.Observe(float64(callers))
	m.commitTook.Observe(took.Seconds())
}
