package guard

import (
	"sync/atomic"
	"time"
)

// Stats is the state of a guard, and what it has counted since [New].
type Stats struct {
	// Seq is the number of the newest entry of the issuer's log that was applied.
	Seq uint64
	// Revocations is the number of sessions and marks on the list.
	Revocations int
	// ConfirmedAt is when the issuer last confirmed that the list is complete; see
	// [Config].MaxStaleness.
	ConfirmedAt time.Time
	// Stale reports whether that was too long ago.
	Stale bool
	// Connected reports whether the stream is open, and the issuer has confirmed on it
	// that the list is complete.
	Connected bool
	// Feed is the last fault of the feed. A confirmation on the stream clears it.
	Feed Fault
	// Keys is the last fault of the key set. A good answer clears it.
	Keys Fault
	// KeyIDs are the ids of the keys in use.
	KeyIDs []string

	// Hits and Misses count the tokens that were in the cache, and those that were not.
	Hits, Misses uint64
	// Refused counts the tokens that were refused, for any reason.
	Refused uint64
	// StaleRefused, StaleAccepted and Introspected count the good tokens while the list
	// was stale: those refused, those accepted by [FailOpen], and those about which
	// [Introspect] asked the issuer. A token can be both introspected and refused.
	StaleRefused, StaleAccepted, Introspected uint64
	// KeyFetches counts the requests for the key set.
	KeyFetches uint64
	// Connections and Snapshots count the streams opened and the snapshots loaded.
	Connections, Snapshots uint64
	// Faults counts the faults of the feed.
	Faults uint64
	// Rollbacks counts the snapshots that ended before what was applied, because a backup
	// of the issuer had been restored.
	Rollbacks uint64
	// Delay is the time from the newest revocation, by the issuer's clock, until it was
	// applied, by this service's clock. It is zero after a snapshot.
	Delay time.Duration
}

// Fault is an error and its time.
type Fault struct {
	// Err is nil if there is no fault.
	Err error
	// At is when it happened.
	At time.Time
}

// counters are the stats that are kept at one place. All can be read at any time.
type counters struct {
	hits, misses, refused                     atomic.Uint64
	staleRefused, staleAccepted, introspected atomic.Uint64
	keyFetches, connections, snapshots        atomic.Uint64
	faults, rollbacks                         atomic.Uint64
	delay                                     atomic.Int64
	connected                                 atomic.Bool
	feedFault, keysFault                      atomic.Pointer[Fault]
}

// setFault notes an error, or clears it if err is nil.
func (c *counters) setFault(in *atomic.Pointer[Fault], err error, at time.Time) {
	if err == nil {
		in.Store(nil)
		return
	}
	in.Store(&Fault{Err: err, At: at})
}

func loadFault(from *atomic.Pointer[Fault]) Fault {
	if fault := from.Load(); fault != nil {
		return *fault
	}
	return Fault{}
}

// Stats returns the current [Stats].
func (g *Guard) Stats() Stats {
	now, c := g.config.Now(), &g.stats
	seq, confirmed := g.revocations.position()
	s := Stats{
		Seq: seq, ConfirmedAt: confirmed, Revocations: g.revocations.set.Len(),
		Stale: !g.revocations.fresh(now), Connected: c.connected.Load(),
		Feed: loadFault(&c.feedFault), Keys: loadFault(&c.keysFault),
		Hits: c.hits.Load(), Misses: c.misses.Load(), Refused: c.refused.Load(),
		StaleRefused: c.staleRefused.Load(), StaleAccepted: c.staleAccepted.Load(), Introspected: c.introspected.Load(),
		KeyFetches: c.keyFetches.Load(), Connections: c.connections.Load(), Snapshots: c.snapshots.Load(),
		Faults: c.faults.Load(), Rollbacks: c.rollbacks.Load(), Delay: time.Duration(c.delay.Load()),
	}
	for _, key := range g.keys.current.Load().keys.Keys() {
		s.KeyIDs = append(s.KeyIDs, key.ID)
	}
	return s
}
