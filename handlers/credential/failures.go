package credential

import (
	"fmt"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"issuer.example/handlers/exchange"
)

// failurePolicy bounds failed credentials.
type failurePolicy struct {
	perSource, overall           rate.Limit // failures a second
	perSourceBurst, overallBurst int
}

// maxSources bounds the memory of a failureLimit: the source that failed longest ago is forgotten
// first.
const maxSources = 8192

// publicPolicy is how often credentials may fail at the public listener. A source that exceeds it is
// answered 429 instead of 401; a valid credential is never held up, whoever else fails from the same
// address.
func publicPolicy() failurePolicy {
	return failurePolicy{perSource: 1, perSourceBurst: 30, overall: 1000, overallBurst: 5000}
}

// adminPolicy is the same for service keys at the admin listener.
func adminPolicy() failurePolicy {
	return failurePolicy{perSource: 0.2, perSourceBurst: 10, overall: 5, overallBurst: 50}
}

// failureLimit counts failed credentials by source.
type failureLimit struct {
	policy  failurePolicy
	now     func() time.Time
	overall *rate.Limiter
	sources *lru.Cache[netip.Prefix, *rate.Limiter]
}

func newFailureLimit(policy failurePolicy, now func() time.Time) (*failureLimit, error) {
	sources, err := lru.New[netip.Prefix, *rate.Limiter](maxSources)
	if err != nil {
		return nil, err
	}
	return &failureLimit{
		policy: policy, now: now, sources: sources,
		overall: rate.NewLimiter(policy.overall, policy.overallBurst),
	}, nil
}

// count counts a failure. If there have been too many it returns when to try again, else 0.
func (f *failureLimit) count(from netip.Addr) time.Duration {
	source := sourceOf(from)
	limiter, ok := f.sources.Get(source)
	if !ok {
		limiter = rate.NewLimiter(f.policy.perSource, f.policy.perSourceBurst)
		if earlier, found, _ := f.sources.PeekOrAdd(source, limiter); found {
			limiter = earlier
		}
	}
	now := f.now()
	return max(consume(limiter, now), consume(f.overall, now))
}

// failures counts the failed credentials of each listener.
type failures struct {
	publicFailures, adminFailures *failureLimit
}

func newFailures(now func() time.Time) (*failures, error) {
	public, err := newFailureLimit(publicPolicy(), now)
	if err != nil {
		return nil, fmt.Errorf("limiting failed credentials: %w", err)
	}
	admin, err := newFailureLimit(adminPolicy(), now)
	if err != nil {
		return nil, fmt.Errorf("limiting failed credentials: %w", err)
	}
	return &failures{publicFailures: public, adminFailures: admin}, nil
}

// count counts a request that err refused. It returns err, or the refusal 429 if there were too many.
func (f *failures) count(x *exchange.Exchange, err error) error {
	limit := f.publicFailures
	if !x.Public() {
		limit = f.adminFailures
	}
	if wait := limit.count(x.ClientAddr()); wait > 0 {
		return &exchange.Refusal{Code: exchange.CodeRateLimited, RetryAfter: wait, Err: err}
	}
	return err
}

// consume uses up one allowed failure, or returns after what time there is one.
func consume(l *rate.Limiter, now time.Time) time.Duration {
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
}

// sourceOf is an IPv4 address, or the /64 network that an IPv6 customer has alone.
func sourceOf(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all of those share one
	}
	return prefix
}
