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
	// ways is how many places a token may have.
	ways = 8
	// maxCachedToken is the size of the largest token that is kept, so that the
	// number of entries bounds the memory.
	maxCachedToken = 4 << 10
)

// verified is a token that was found good, but for what may change.
type verified struct {
	token      string
	claims     jwt.Claims
	session    sid.ID
	generation uint64 // of the keys
	hash       uint64
}

// accept judges anew what depends on the time, as [jwt.Verifier.Verify] does.
func (v *verified) accept(now time.Time, leeway time.Duration) error {
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

// cache keeps verified tokens. It is an array of small groups: a keyed hash of the token
// says which group, and the whole token is compared, so one never answers for another.
// Readers take no lock. A group that is full loses the token that ends first.
type cache struct {
	seed   maphash.Seed
	groups [][ways]atomic.Pointer[verified]
}

// newCache returns a cache for about so many tokens, nil for none.
func newCache(entries int) *cache {
	if entries <= 0 {
		return nil
	}
	return &cache{
		seed:   maphash.MakeSeed(),
		groups: make([][ways]atomic.Pointer[verified], (entries+ways-1)/ways),
	}
}

// get returns the entry of a token, nil if there is none, and the token's hash.
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

func (c *cache) group(hash uint64) *[ways]atomic.Pointer[verified] {
	return &c.groups[hash%uint64(len(c.groups))]
}

// put keeps a token under the hash that get returned.
func (c *cache) put(v *verified, hash uint64) {
	if c == nil || len(v.token) > maxCachedToken {
		return
	}
	v.token = strings.Clone(v.token) // not the request that it is a part of
	v.hash = hash
	group := c.group(hash)
	var (
		place *atomic.Pointer[verified]
		first *verified // what is there
	)
	for i := range group {
		old := group[i].Load()
		if old == nil || old.hash == hash && old.token == v.token {
			place, first = &group[i], old
			break
		}
		if place == nil || old.claims.Expiry.Before(first.claims.Expiry) {
			place, first = &group[i], old
		}
	}
	place.CompareAndSwap(first, v) // whoever was quicker may stay
}
