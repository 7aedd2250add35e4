package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func (m *Metrics) registerRequests() {
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "issuer_http_requests_total",
		Help: "Requests answered, by route and class of status. Those without a route have empty labels.",
	}, []string{"method", "route", "status"})
	m.durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "issuer_http_request_duration_seconds",
		Help:    "How long requests took, by route.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 3, 11), // 0.1 ms to 6 s
	}, []string{"method", "route"})
	m.registry.MustRegister(m.requests, m.durations)
}

// Route looks up the counters of a route once, so that a request only increments them.
func (m *Metrics) Route(method, pattern string) func(status int, took time.Duration) {
	var classes [6]prometheus.Counter
	for i, class := range [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		classes[i] = m.requests.WithLabelValues(method, pattern, class)
	}
	duration := m.durations.WithLabelValues(method, pattern)
	return func(status int, took time.Duration) {
		class := status / 100
		if class < 0 || class >= len(classes) {
			class = 0
		}
		classes[class].Inc()
		duration.Observe(took.Seconds())
	}
}
