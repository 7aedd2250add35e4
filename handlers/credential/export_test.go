package credential

import (
	"net/netip"
	"time"
)

// CountFailures lets n addresses fail once each, and returns how many are kept in memory and how many may
// be.
func CountFailures(n uint32) (kept, most int) {
	f, err := newFailureLimit(publicPolicy(), time.Now)
	if err != nil {
		panic(err)
	}
	for i := range n {
		f.count(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	return f.sources.Len(), maxSources
}
