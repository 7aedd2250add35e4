package guard

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
	"issuer.example/sid"
)

const (
	// groupSize is how many places of the cache one token can be in.
	groupSize = 8
	// maxCachedToken is the size in bytes of the largest token in the cache, so that the
	// number of entries bounds the memory.
	maxCachedToken = 4 << 10
)

// verified is a token whose signature and claims are good. What can change is checked at
// each use: the times, the keys and the revocations.
type verified struct {
	token      string
	claims     jwt.Claims
	session    sid.ID
	generation uint64 // of the keys that it was verified with
	hash       uint64
}

// checkTimes checks what depends on the time, as [jwt.Verifier.Verify] does.
func (v *verified) checkTimes(now time.Time, leeway time.Duration) error {
	latest := now.Add(leeway)
	switch {
	case !now.Before(v.claims.Expiry.Add(leeway)):
		return jwt.ErrExpired
	case v.claims.NotBefore.After(latest):
		return jwt.ErrNotYetValid
	case v.claims.IssuedAt.After(latest):
		return jwt.ErrIssuedAt
	}
	return nil
}

// cache keeps verified tokens in groups of a fixed size. A keyed hash of the token selects
// the group, and the whole token is compared, so none is mistaken for another. A full group
// drops the token that expires first. There is no lock: an entry never changes, and a place
// is replaced in one step.
type cache struct {
	seed   maphash.Seed
	groups [][groupSize]atomic.Pointer[verified]
}

// newCache returns a cache for that many tokens, rounded up to whole groups. It returns nil,
// which is a cache that keeps nothing, if entries is not positive.
func newCache(entries int) *cache {
	if entries <= 0 {
		return nil
	}
	return &cache{
		seed:   maphash.MakeSeed(),
		groups: make([][groupSize]atomic.Pointer[verified], (entries+groupSize-1)/groupSize),
	}
}

// get returns the entry of a token, nil if there is none, and the hash that put needs.
func (c *cache) get(token string) (*verified, uint64) {
	if c == nil || len(token) > maxCachedToken {
		return nil, 0
	}
	hash := maphash.String(c.seed, token)
	group := c.group(hash)
	for i := range group {
		if v := group[i].Load(); v != nil && v.hash == hash && v.token == token {
			return v, hash
		}
	}
	return nil, hash
}

func (c *cache) group(hash uint64) *[groupSize]atomic.Pointer[verified] {
	return &c.groups[hash%uint64(len(c.groups))]
}

// put adds a token under the hash that get returned for it.
func (c *cache) put(v *verified, hash uint64) {
	if c == nil || len(v.token) > maxCachedToken {
		return
	}
	v.token = strings.Clone(v.token) // or the whole request would stay in memory
	v.hash = hash
	group := c.group(hash)
	var (
		place    *atomic.Pointer[verified]
		replaced *verified // in that place
	)
	for i := range group {
		old := group[i].Load()
		if old == nil || old.hash == hash && old.token == v.token {
			place, replaced = &group[i], old
			break
		}
		if place == nil || old.claims.Expiry.Before(replaced.claims.Expiry) {
			place, replaced = &group[i], old
		}
	}
	place.CompareAndSwap(replaced, v) // if another token was put there meanwhile, it stays
}
