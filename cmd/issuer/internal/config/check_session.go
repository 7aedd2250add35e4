package config

import "time"

// checkSessions checks the policies of sessions, refresh and binding.
func (v checker) checkSessions() {
	s := v.Session
	v.between("session.absolute_timeout", s.AbsoluteTimeout, time.Minute, 10*year)
	v.between("session.idle_timeout", s.IdleTimeout, time.Second, 10*year)
	v.between("session.update_age", s.UpdateAge, 0, year)
	v.between("session.fresh_age", s.FreshAge, time.Second, year)
	v.between("session.history", s.History, time.Hour, 10*year)
	v.notOver("session.idle_timeout", s.IdleTimeout, "session.absolute_timeout", s.AbsoluteTimeout)
	v.notOver("access_token.lifetime", v.AccessToken.Lifetime, "session.idle_timeout", s.IdleTimeout)
	v.notOver("session.update_age", s.UpdateAge, "session.idle_timeout", s.IdleTimeout)
	const limit = 1000 // a sign-in reads as many sessions
	if s.MaxPerUser < 0 || s.MaxPerUser > limit {
		v.fault("session.max_per_user", "must be from 0 (no limit) to %d", limit)
	}
	v.oneOf("session.on_limit", s.OnLimit, "evict_oldest", "evict_idle", "refuse")
	v.between("refresh.concurrency_window", v.Refresh.ConcurrencyWindow, 0, 5*time.Minute)
	v.oneOf("refresh.late_retry", v.Refresh.LateRetry, "allow", "revoke")
	v.oneOf("binding.ip", v.Binding.IP, "off", "log", "step_up", "enforce")
	v.oneOf("binding.user_agent", v.Binding.UserAgent, "off", "log", "step_up", "enforce")
}

// notOver checks that one duration is at most another. The fault is reported at the key that
// the user has set: at the limit when the value itself is a default.
func (v checker) notOver(key string, d time.Duration, limitKey string, limit time.Duration) {
	switch {
	case v.broken(key, limitKey) || d <= limit:
	case v.report.isSet(key) || !v.report.isSet(limitKey):
		v.fault(key, "%s is longer than %s (%s)", format(d), limitKey, format(limit))
	default:
		v.fault(limitKey, "%s is shorter than %s (%s)", format(limit), key, format(d))
	}
}
