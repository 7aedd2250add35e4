package config

import "time"

// checkLimits checks the bounds of what callers may use.
func (v checker) checkLimits() {
	const most = 1_000_000
	if n := v.Limits.Connections; n < 1 || n > most {
		v.fault("limits.connections", "must be from 1 to %d", most)
	}
	if n := v.Limits.FeedStreams; n < 0 || n > most {
		v.fault("limits.feed_streams", "must be from 0 to %d", most)
	}
	if n := v.Limits.FeedStreamsPerKey; n < 1 || n > most {
		v.fault("limits.feed_streams_per_key", "must be from 1 to %d", most)
	}
	v.between("limits.idle_connection", v.Limits.IdleConnection, time.Second, 24*time.Hour)
}
