package handlers

import (
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// failurePolicy bounds failed credentials.
type failurePolicy struct {
	perSource, overall           rate.Limit // failures a second
	perSourceBurst, overallBurst int
}

// maxSources bounds the memory of a failures: the source that failed longest ago is
// forgotten first.
const maxSources = 8192

// How often credentials may fail. An address that exceeds it hears 429 instead of 401; a
// valid credential is never held up, whoever else fails from the same address.
func publicFailures() failurePolicy {
	return failurePolicy{perSource: 1, perSourceBurst: 30, overall: 1000, overallBurst: 5000}
}

// adminFailures is the same for keys at the admin listener.
func adminFailures() failurePolicy {
	return failurePolicy{perSource: 0.2, perSourceBurst: 10, overall: 5, overallBurst: 50}
}

// failures counts failed credentials by source.
type failures struct {
	policy  failurePolicy
	now     func() time.Time
	overall *rate.Limiter
	sources *lru.Cache[netip.Prefix, *rate.Limiter]
}

func newFailures(policy failurePolicy, now func() time.Time) (*failures, error) {
	sources, err := lru.New[netip.Prefix, *rate.Limiter](maxSources)
	if err != nil {
		return nil, err
	}
	return &failures{
		policy: policy, now: now, sources: sources,
		overall: rate.NewLimiter(policy.overall, policy.overallBurst),
	}, nil
}

// note counts a failure. If there have been too many it returns when to come again, else 0.
func (f *failures) note(from netip.Addr) time.Duration {
	source := sourceOf(from)
	limiter, ok := f.sources.Get(source)
	if !ok {
		limiter = rate.NewLimiter(f.policy.perSource, f.policy.perSourceBurst)
		if earlier, found, _ := f.sources.PeekOrAdd(source, limiter); found {
			limiter = earlier
		}
	}
	now := f.now()
	return max(wait(limiter, now), wait(f.overall, now))
}

func wait(l *rate.Limiter, now time.Time) time.Duration {
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
}

// sourceOf is an IPv4 address, or the network that an IPv6 customer has to himself.
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

// penalise counts a failed credential and returns what to answer: err, or 429.
func (s *Server) penalise(x *exchange, err error) error {
	limit := s.strangers
	if !x.listener.public {
		limit = s.intruders
	}
	if retry := limit.note(x.from); retry > 0 {
		return &refusal{code: codeRateLimited, retry: retry, err: err}
	}
	return err
}
