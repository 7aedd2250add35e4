package guard

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
)

// keyring holds the keys that the issuer publishes. It keeps those of the last good answer
// until another good answer comes, and drops a key as soon as a good answer lacks it.
type keyring struct {
	client    *client
	discovery *discovery
	state     *stateKeeper
	now       func() time.Time
	logger    *slog.Logger
	stats     *counters

	current atomic.Pointer[generation]

	background context.Context //nolint:containedctx // of the guard's background work, to which fetches belong
	work       *sync.WaitGroup

	fetched chan struct{} // has room for one; gets a value whenever a fetch has ended

	mu       sync.Mutex
	inFlight chan struct{} // closed when the current fetch ends; nil if there is none
	refetch  bool          // start another fetch when the current one ends
	started  time.Time     // when the newest fetch started
	failures int           // in a row
	fromFeed bool          // the issuer has keys under the feed
	etag     string        // of the JWKS
	maxAge   time.Duration // how long the newest answer may be used
}

// generation is one set of keys. Its number says whether a token in the cache was verified
// with the same keys.
type generation struct {
	keys   *jwt.KeySet
	number uint64
}

// feedKeysAge is how long keys that came by the feed are used without another fetch.
const feedKeysAge = 5 * time.Minute

// none is the set of a guard that has not received any keys.
var none = &generation{keys: &jwt.KeySet{}}

var _ jwt.Keys = (*keyring)(nil)

// Key returns a key that the issuer publishes.
func (k *keyring) Key(kid string) (jwt.Key, bool) { return k.current.Load().keys.Key(kid) }

// generation is the number of the current set of keys.
func (k *keyring) generation() uint64 { return k.current.Load().number }

// empty reports whether no keys have been received yet.
func (k *keyring) empty() bool { return k.generation() == 0 }

// fetch requests the keys from the issuer itself: a cache in between may still have a key
// that was revoked. An issuer without keys under the feed has the JWKS alone. It is not
// called twice at a time.
func (k *keyring) fetch(ctx context.Context) error {
	k.stats.keyFetches.Add(1)
	urls, err := k.discovery.endpoints(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	etag, fromFeed := k.etag, k.fromFeed
	k.mu.Unlock()
	res, err := k.client.fetch(ctx, request{
		url: unique(urls.feedKeys + "?"), scope: scopeRevocations,
		header: map[string]string{"Accept": "application/jwk-set+json", "Cache-Control": "no-store"},
	}, jwt.MaxJWKSSize)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusNotFound && !fromFeed {
		return k.fetchJWKS(ctx, urls.jwks, etag)
	}
	if err != nil {
		return err
	}
	if err := k.use(res.body); err != nil {
		return err
	}
	k.mu.Lock()
	k.fromFeed, k.maxAge = true, feedKeysAge
	k.mu.Unlock()
	return nil
}

// fetchJWKS requests the public key set, and asks caches in between not to answer.
func (k *keyring) fetchJWKS(ctx context.Context, url, etag string) error {
	res, err := k.client.fetch(ctx, keyRequest(url, etag), jwt.MaxJWKSSize)
	if err != nil {
		return err
	}
	if res.status == http.StatusOK {
		if err := k.use(res.body); err != nil {
			return err
		}
		etag = res.header.Get("ETag")
	} else {
		k.state.confirmKeys()
	}
	k.mu.Lock()
	k.etag, k.maxAge = etag, remainingAge(res.header)
	k.mu.Unlock()
	return nil
}

// use puts the keys of an answer into use.
func (k *keyring) use(body []byte) error {
	set, err := parseKeys(body)
	if err != nil {
		return err
	}
	k.replace(set)
	k.state.keepKeys(body)
	return nil
}

func keyRequest(url, etag string) request {
	r := request{url: url, want: []int{http.StatusOK}, header: map[string]string{
		"Accept": "application/jwk-set+json", "Cache-Control": "no-cache",
	}}
	if etag != "" {
		r.header["If-None-Match"] = etag
		r.want = append(r.want, http.StatusNotModified)
	}
	return r
}

func parseKeys(body []byte) (*jwt.KeySet, error) {
	set, err := jwt.ParseJWKS(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if len(set.Keys()) == 0 {
		return nil, fmt.Errorf("%w: it has no key that can verify", ErrKeys)
	}
	return set, nil
}

// replace puts a set into use. The generation stays the same if the keys do.
func (k *keyring) replace(set *jwt.KeySet) {
	old := k.current.Load()
	if sameKeys(old.keys, set) {
		return
	}
	k.current.Store(&generation{keys: set, number: old.number + 1})
}

func sameKeys(a, b *jwt.KeySet) bool {
	if len(a.Keys()) != len(b.Keys()) {
		return false
	}
	for _, key := range a.Keys() {
		other, ok := b.Key(key.ID)
		public, comparer := key.Public.(interface{ Equal(x crypto.PublicKey) bool })
		if !ok || !comparer || key.Algorithm != other.Algorithm || !public.Equal(other.Public) {
			return false
		}
	}
	return true
}

// isUnknownKey reports whether a newer set of keys could change the verdict.
func isUnknownKey(err error) bool { return errors.Is(err, jwt.ErrUnknownKey) }
