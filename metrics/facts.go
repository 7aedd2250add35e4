package metrics

import "issuer.example/fact"

var _ fact.Consumer = (*Metrics)(nil)

// TakeFact counts a session that was created or ended, as the journal of facts records it. Every issuer
// on a store reads the same journal: their counts are not to be added up.
func (m *Metrics) TakeFact(f *fact.Fact) {
	switch f.Kind {
	case fact.Created:
		m.minted.Inc()
	case fact.Ended:
		m.ended.WithLabelValues(f.What).Inc()
	case fact.Changed, fact.Marked, fact.KeyChanged, fact.Administered:
	}
}

// MissFacts counts facts that could not be counted.
func (m *Metrics) MissFacts(n uint64) { m.factsMissed.Add(float64(n)) }
