package relay

import (
	"sync"
	"time"
)

// Counts is how many requests a relay has received.
type Counts struct {
	Streams   int `json:"streams"`
	Snapshots int `json:"snapshots"`
	FeedKeys  int `json:"feed_keys"`
	JWKS      int `json:"jwks"`
	// StreamsPerSecond and SnapshotsPerSecond are the largest numbers that began within
	// one second.
	StreamsPerSecond   int `json:"streams_per_s"`
	SnapshotsPerSecond int `json:"snapshots_per_s"`
}

// log notes when requests came. It is safe for concurrent use.
type log struct {
	mu    sync.Mutex
	times map[string][]time.Time // by path
}

// tolerance is what a request may come early because the one before it was slow to arrive.
const tolerance = 50 * time.Millisecond

// note notes a request and returns how many came before it.
func (l *log) note(path string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times[path] = append(l.times[path], time.Now())
	return len(l.times[path]) - 1
}

func (l *log) counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Counts{
		Streams: len(l.times[streamPath]), Snapshots: len(l.times[snapshotPath]),
		FeedKeys: len(l.times[feedKeysPath]), JWKS: len(l.times[jwksPath]),
		StreamsPerSecond: mostInASecond(l.times[streamPath]), SnapshotsPerSecond: mostInASecond(l.times[snapshotPath]),
	}
}

func mostInASecond(times []time.Time) (most int) {
	first := 0
	for i := range times {
		for times[i].Sub(times[first]) >= time.Second-tolerance {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
