package config

import (
	"fmt"
	"time"
)

const (
	// MaxAccessLifetime bounds access_token.lifetime. A verifier that does not follow the
	// revocation feed accepts a token until it expires.
	MaxAccessLifetime = time.Hour
	// MaxLeeway bounds access_token.leeway.
	MaxLeeway = time.Minute

	year = 365 * 24 * time.Hour
)

// checkTokens checks the access token and the schedule of its signing keys.
func (v checker) checkTokens() {
	v.between("access_token.lifetime", v.AccessToken.Lifetime, time.Second, MaxAccessLifetime)
	if v.AccessToken.Lifetime%time.Second != 0 {
		v.fault("access_token.lifetime", "must be whole seconds: that is what a JWT can say")
	}
	v.oneOf("access_token.algorithm", v.AccessToken.Algorithm, "ES256", "EdDSA", "RS256")
	v.between("access_token.leeway", v.AccessToken.Leeway, 0, MaxLeeway)
	const limit = 16
	if len(v.AccessToken.Audience) > limit {
		v.fault("access_token.audience", "must name at most %d audiences", limit)
	}
	v.unique("access_token.audience", v.AccessToken.Audience)
	for i, aud := range v.AccessToken.Audience {
		if !isPlain(aud) {
			v.fault(fmt.Sprintf("access_token.audience[%d]", i), "must be 1 to 255 bytes without control characters")
		}
	}
	v.between("keys.publish_before", v.Keys.PublishBefore, 10*time.Second, 30*24*time.Hour)
	v.between("keys.rotate_every", v.Keys.RotateEvery, time.Minute, 10*year)
	if !v.broken("keys.rotate_every", "keys.publish_before") && v.Keys.RotateEvery < 2*v.Keys.PublishBefore {
		v.fault("keys.rotate_every", "must be at least twice keys.publish_before (%s)", format(v.Keys.PublishBefore))
	}
}
