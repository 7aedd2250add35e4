package guard

import (
	"sync/atomic"
	"time"
)

// Stats is what a guard knows and has done.
type Stats struct {
	// Seq is the number of the newest revocation applied.
	Seq uint64
	// Revocations is the number of entries and marks held.
	Revocations int
	// Heard is when the issuer last said that the list is complete; see
	// [Config].MaxStaleness.
	Heard time.Time
	// Stale reports whether that was too long ago.
	Stale bool
	// Connected reports whether the stream is open and complete.
	Connected bool
	// Feed says what is wrong with the feed, or was when it failed last.
	Feed Fault
	// Keys says what is wrong with the key set, nothing after a good answer.
	Keys Fault
	// KeyIDs are the ids of the keys in use.
	KeyIDs []string

	// Hits and Misses count the tokens found in the cache, and those that were not.
	Hits, Misses uint64
	// Refused counts the tokens that were refused, for whatever reason.
	Refused uint64
	// StaleRefused, StaleAccepted and Introspected count the good tokens that came
	// while the list was stale, by what became of them: refused, accepted by
	// [FailOpen], or sent to the issuer by [Introspect].
	StaleRefused, StaleAccepted, Introspected uint64
	// KeyFetches counts the requests for the key set.
	KeyFetches uint64
	// Connections and Snapshots count the streams opened and the snapshots loaded.
	Connections, Snapshots uint64
	// Faults counts the times that the feed was refused.
	Faults uint64
	// Rollbacks counts the snapshots of an issuer that had gone back in its log.
	Rollbacks uint64
	// Delay is the time from the newest revocation to its being applied, by the clocks
	// of the issuer and of this service.
	Delay time.Duration
}

// Fault is something that went wrong.
type Fault struct {
	// Err is nil when nothing did.
	Err error
	// At is when it happened.
	At time.Time
}

// counters are the parts of the stats that change.
type counters struct {
	hits, misses, refused                     atomic.Uint64
	staleRefused, staleAccepted, introspected atomic.Uint64
	keyFetches, connections, snapshots        atomic.Uint64
	faults, rollbacks                         atomic.Uint64
	delay                                     atomic.Int64
	connected                                 atomic.Bool
	feedFault, keysFault                      atomic.Pointer[Fault]
}

// setFault notes an error, or that there is none any more.
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

// Stats returns what the guard knows and has done.
func (g *Guard) Stats() Stats {
	now, c := g.config.Now(), &g.stats
	seq, heard := g.ledger.position()
	s := Stats{
		Seq: seq, Heard: heard, Revocations: g.ledger.set.Len(), Stale: !g.ledger.fresh(now), Connected: c.connected.Load(),
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
