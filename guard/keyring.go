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
	client *client
	url    string
	now    func() time.Time
	logger *slog.Logger
	stats  *counters

	current atomic.Pointer[generation]

	background context.Context //nolint:containedctx // of the guard's background work, to which fetches belong
	work       *sync.WaitGroup

	fetched chan struct{} // has room for one; gets a value whenever a fetch has ended

	mu       sync.Mutex
	inFlight chan struct{} // closed when the current fetch ends; nil if there is none
	refetch  bool          // start another fetch when the current one ends
	started  time.Time     // when the newest fetch started
	failures int           // in a row
	etag     string
	maxAge   time.Duration // how long the newest answer may be used
}

// generation is one set of keys. Its number says whether a token in the cache was verified
// with the same keys.
type generation struct {
	keys   *jwt.KeySet
	number uint64
}

var _ jwt.Keys = (*keyring)(nil)

// Key returns a key that the issuer publishes.
func (k *keyring) Key(kid string) (jwt.Key, bool) { return k.current.Load().keys.Key(kid) }

// generation is the number of the current set of keys.
func (k *keyring) generation() uint64 { return k.current.Load().number }

// fetch requests the keys from the issuer itself, not from a cache in between. It is not
// called twice at a time.
func (k *keyring) fetch(ctx context.Context) error {
	k.stats.keyFetches.Add(1)
	k.mu.Lock()
	etag := k.etag
	k.mu.Unlock()
	res, err := k.client.fetch(ctx, keyRequest(k.url, etag), jwt.MaxJWKSSize)
	if err != nil {
		return err
	}
	if res.status == http.StatusOK {
		set, err := parseKeys(res.body)
		if err != nil {
			return err
		}
		k.replace(set)
		etag = res.header.Get("ETag")
	}
	k.mu.Lock()
	k.etag, k.maxAge = etag, remainingAge(res.header)
	k.mu.Unlock()
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
	if old != nil && sameKeys(old.keys, set) {
		return
	}
	next := &generation{keys: set, number: 1}
	if old != nil {
		next.number = old.number + 1
	}
	k.current.Store(next)
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
