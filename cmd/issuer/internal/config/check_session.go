package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"issuer.example/client"
)

const (
	// MaxAccessLifetime bounds access_token.lifetime: a token can't be called back
	// from a verifier that does not hear of revocations.
	MaxAccessLifetime = time.Hour
	// MaxLeeway bounds access_token.leeway.
	MaxLeeway = time.Minute

	year = 365 * 24 * time.Hour
)

func (v checker) checkTokens() {
	v.between("access_token.lifetime", v.AccessToken.Lifetime, time.Second, MaxAccessLifetime)
	if v.AccessToken.Lifetime%time.Second != 0 {
		v.fault("access_token.lifetime", "must be whole seconds: that is what a JWT can say")
	}
	v.oneOf("access_token.algorithm", v.AccessToken.Algorithm, "ES256", "EdDSA", "RS256")
	v.between("access_token.leeway", v.AccessToken.Leeway, 0, MaxLeeway)
	const most = 16
	if len(v.AccessToken.Audience) > most {
		v.fault("access_token.audience", "must name at most %d audiences", most)
	}
	v.unique("access_token.audience", v.AccessToken.Audience)
	for i, aud := range v.AccessToken.Audience {
		if !plain(aud) {
			v.fault(fmt.Sprintf("access_token.audience[%d]", i), "must be 1 to 255 bytes without control characters")
		}
	}
	v.between("keys.publish_before", v.Keys.PublishBefore, 10*time.Second, 30*24*time.Hour)
	v.between("keys.rotate_every", v.Keys.RotateEvery, time.Minute, 10*year)
	if !v.broken("keys.rotate_every", "keys.publish_before") && v.Keys.RotateEvery < 2*v.Keys.PublishBefore {
		v.fault("keys.rotate_every", "must be at least twice keys.publish_before (%s)", brief(v.Keys.PublishBefore))
	}
}

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
	const most = 100_000
	if s.MaxPerUser < 0 || s.MaxPerUser > most {
		v.fault("session.max_per_user", "must be from 0 (no limit) to %d", most)
	}
	v.oneOf("session.on_limit", s.OnLimit, "evict_oldest", "evict_idle", "refuse")
	v.between("refresh.concurrency_window", v.Refresh.ConcurrencyWindow, 0, 5*time.Minute)
	v.oneOf("refresh.late_retry", v.Refresh.LateRetry, "allow", "revoke")
	v.oneOf("binding.ip", v.Binding.IP, "off", "log", "step_up", "enforce")
	v.oneOf("binding.user_agent", v.Binding.UserAgent, "off", "log", "step_up", "enforce")
}

// notOver checks that one duration is at most another. The fault stands where the user
// set something: at the limit when the value itself is the default.
func (v checker) notOver(key string, d time.Duration, limitKey string, limit time.Duration) {
	switch {
	case v.broken(key, limitKey) || d <= limit:
	case v.report.set(key) || !v.report.set(limitKey):
		v.fault(key, "%s is longer than %s (%s)", brief(d), limitKey, brief(limit))
	default:
		v.fault(limitKey, "%s is shorter than %s (%s)", brief(limit), key, brief(d))
	}
}

func (v checker) checkServiceKeys() {
	names, hashes := map[string]bool{}, map[string]bool{}
	for i, k := range v.ServiceKeys {
		key := fmt.Sprintf("service_keys[%d]", i)
		if v.broken(key) {
			continue
		}
		v.checkKeyName(key+".name", k.Name)
		if names[k.Name] {
			v.fault(key+".name", "two keys are called %s", k.Name)
		}
		if _, err := client.ParseHash(k.SHA256); err != nil {
			v.fault(key+".sha256", "must be the SHA-256 of the key: 64 lower-case hex digits, as `issuer service-key new` prints them")
		} else if hashes[k.SHA256] {
			v.fault(key+".sha256", "another name has the same key")
		}
		names[k.Name], hashes[k.SHA256] = true, true
		v.checkScopes(key+".scopes", k.Scopes)
	}
}

func (v checker) checkScopes(key string, scopes []string) {
	if len(scopes) == 0 {
		v.fault(key, "must name at least one of %s", client.ScopeNames())
	}
	v.unique(key, scopes)
	for i, scope := range scopes {
		if _, err := client.ParseScope(scope); err != nil {
			v.fault(fmt.Sprintf("%s[%d]", key, i), "unknown scope; known are %s", client.ScopeNames())
		}
	}
}

// CheckServiceKey says what is wrong with the name and scopes of a service key, nil when
// they will do.
func CheckServiceKey(name string, scopes []string) error {
	r := newReport()
	v := checker{Config: &Config{}, report: r}
	v.checkKeyName("--name", name)
	v.checkScopes("--scopes", scopes)
	if len(r.faults) > 0 {
		return errors.New(strings.ReplaceAll(r.faults.Error(), "\n", "; "))
	}
	return nil
}

func (v checker) checkKeyName(key, name string) {
	if client.CheckName(name) != nil {
		v.fault(key, "must be 1 to 64 letters, digits, dots, dashes or underscores")
	}
}
