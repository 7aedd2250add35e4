package guard

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
)

const (
	minKeyAge = 5 * time.Second
	maxKeyAge = 24 * time.Hour
	// keyCoolDown is how long an unknown key id causes no other fetch.
	keyCoolDown = 10 * time.Second
	// keyRetry and maxKeyRetry bound the pause after a failed fetch.
	keyRetry    = time.Second
	maxKeyRetry = time.Minute
)

// keyring holds the issuer's keys. It keeps those of the last good answer for as long as
// no other comes; a key that is not in the newest good answer is gone.
type keyring struct {
	client *client
	url    string
	now    func() time.Time
	logger *slog.Logger
	stats  *counters

	current atomic.Pointer[generation]

	base context.Context //nolint:containedctx // of the guard's background work, to which fetches belong
	work *sync.WaitGroup

	ended chan struct{} // has room for one; told whenever a fetch has ended

	mu       sync.Mutex
	inFlight chan struct{} // closed when the fetch that is under way has ended; nil without one
	again    bool          // another fetch is to follow it
	begun    time.Time     // when the newest fetch began
	failures int           // in a row
	etag     string
	age      time.Duration // for how long the newest answer may be used
}

// generation is one set of keys. Its number tells whether a token that was verified
// before was verified with the same keys.
type generation struct {
	keys   *jwt.KeySet
	number uint64
}

var _ jwt.Keys = (*keyring)(nil)

// Key returns a key that the issuer publishes.
func (k *keyring) Key(kid string) (jwt.Key, bool) { return k.current.Load().keys.Key(kid) }

func (k *keyring) number() uint64 { return k.current.Load().number }

// renew fetches the keys, or waits for a fetch that is under way. It does nothing within
// quiet of the last one. It reports whether the keys are of another generation than seen.
func (k *keyring) renew(ctx context.Context, quiet time.Duration, seen uint64) bool {
	if done := k.begin(quiet); done != nil && k.number() == seen {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
	return k.number() != seen
}

// begin starts a fetch, unless there was one within quiet, and returns what is closed when
// the one that is under way has ended; nil if there is none.
func (k *keyring) begin(quiet time.Duration) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inFlight != nil {
		return k.inFlight
	}
	if since := k.now().Sub(k.begun); since >= 0 && since < quiet {
		return nil
	}
	return k.launch()
}

// distrust makes sure that the keys are fetched from now on: a key of those that are held
// may be compromised, and what is under way may have been answered before it was taken away.
func (k *keyring) distrust() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inFlight != nil {
		k.again = true
		return
	}
	k.launch()
}

// launch begins a fetch, unless the guard is closed. The caller holds the lock, and there
// is none under way.
func (k *keyring) launch() <-chan struct{} {
	if k.base.Err() != nil {
		return nil
	}
	done := make(chan struct{})
	k.begun, k.inFlight, k.again = k.now(), done, false
	k.work.Go(func() { k.fetchOnce(done) })
	return done
}

// settle waits for a fetch that is under way, and for the one that is to follow.
func (k *keyring) settle(ctx context.Context) {
	for {
		k.mu.Lock()
		done := k.inFlight
		k.mu.Unlock()
		if done == nil {
			return
		}
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}

// close lets no fetch begin any more.
func (k *keyring) close(stop context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	stop() // of base
}

// fetchOnce is one fetch for everyone who waits. It belongs to the guard, so that it goes
// on when the caller that caused it has gone away.
func (k *keyring) fetchOnce(done chan struct{}) {
	err := k.fetch(k.base)
	if err != nil && k.base.Err() == nil {
		k.logger.Warn("fetching the issuer's keys", "error", err)
	}
	k.stats.setFault(&k.stats.keysFault, err, k.now())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures++
	if err == nil {
		k.failures = 0
	}
	k.inFlight = nil
	if k.again {
		k.launch()
	}
	close(done)
	select {
	case k.ended <- struct{}{}:
	default:
	}
}

// fetch asks for the keys, as the issuer has them and not as a cache on the way did. Only
// one runs at a time.
func (k *keyring) fetch(ctx context.Context) error {
	k.stats.keyFetches.Add(1)
	k.mu.Lock()
	etag := k.etag
	k.mu.Unlock()
	req := request{url: k.url, want: []int{http.StatusOK}, header: map[string]string{
		"Accept": "application/jwk-set+json", "Cache-Control": "no-cache",
	}}
	if etag != "" {
		req.header["If-None-Match"] = etag
		req.want = append(req.want, http.StatusNotModified)
	}
	res, err := k.client.fetch(ctx, req, jwt.MaxJWKSSize)
	if err != nil {
		return err
	}
	if res.status == http.StatusOK {
		set, err := jwt.ParseJWKS(res.body)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrKeys, err)
		}
		if len(set.Keys()) == 0 {
			return fmt.Errorf("%w: it has no key that verifies", ErrKeys)
		}
		k.replace(set)
		etag = res.header.Get("ETag")
	}
	k.mu.Lock()
	k.etag, k.age = etag, remainingAge(res.header)
	k.mu.Unlock()
	return nil
}

// replace puts a set into use. The generation stays when the keys are the same.
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

// remainingAge is for how long an answer may be used from now on (RFC 9111 §4.2): its max-age
// less the time that it has spent in caches, 5 s to 24 h.
func remainingAge(h http.Header) time.Duration {
	spent, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		spent = 0
	}
	return min(max(maxAge(h)-time.Duration(spent)*time.Second, minKeyAge), maxKeyAge)
}

// maxAge is max-age of Cache-Control (RFC 9111 §5.2.2.1), 0 if there is none that can be read.
func maxAge(h http.Header) time.Duration {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return 0
			}
			return time.Duration(seconds) * time.Second
		}
	}
	return 0
}

// run fetches the keys whenever they come of age, or a fetch of them has failed, until the
// context ends.
func (k *keyring) run(ctx context.Context) {
	for {
		timer := time.NewTimer(k.pause())
		select {
		case <-timer.C:
			k.begin(keyRetry / 2) // a request may have done it a moment ago
		case <-k.ended: // whoever began it: the time runs from there
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (k *keyring) pause() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failures > 0 {
		return jitter(min(keyRetry<<min(k.failures-1, 10), maxKeyRetry))
	}
	return k.age - rand.N(k.age/10+1) //nolint:gosec // spreads the load, nothing more
}

// jitter is a time of half of d to d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // spreads the load, nothing more
}

// pause waits and reports whether the context goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// unknownKey reports whether other keys might change the verdict.
func unknownKey(err error) bool { return errors.Is(err, jwt.ErrUnknownKey) }
