package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"issuer.example/keys"
)

// keyCollector exports how long each published key has been in its state.
type keyCollector struct {
	list func() []keys.Key
	now  func() time.Time
	age  *prometheus.Desc
}

func newKeyCollector(list func() []keys.Key, now func() time.Time) *keyCollector {
	return &keyCollector{list: list, now: now, age: prometheus.NewDesc(
		"issuer_signing_key_age_seconds", "How long a published signing key has been in its state.",
		[]string{"kid", "alg", "state"}, nil,
	)}
}

// Describe sends the description of the only metric.
func (c *keyCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.age }

// Collect reads the current keys.
func (c *keyCollector) Collect(ch chan<- prometheus.Metric) {
	for _, k := range c.list() {
		since, published := enteredState(k)
		if !published {
			continue
		}
		age := c.now().Sub(since).Seconds()
		ch <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, age, k.ID, string(k.Algorithm), string(k.State))
	}
}

func enteredState(k keys.Key) (since time.Time, published bool) {
	switch k.State {
	case keys.Pending:
		return k.PublishedAt, true
	case keys.Active:
		return k.ActivatedAt, true
	case keys.Retiring:
		return k.RetiringAt, true
	case keys.Gone:
	}
	return time.Time{}, false
}
