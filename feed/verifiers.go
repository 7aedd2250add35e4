package feed

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// maxVerifiers bounds how many are remembered; the one that was silent for longest
	// is forgotten first.
	maxVerifiers = 4096
	// forgetAfter is how long a verifier is remembered that has no stream and sends no report.
	forgetAfter = time.Hour
)

// Verifier is what is known of one that follows the feed.
type Verifier struct {
	Key        string        // the name of its service key
	Name       string        // the name that it gives itself
	Seq        uint64        // the number of the last revocation that it has applied
	Delay      time.Duration // from that revocation until it was applied, by the verifier's clock
	ReportedAt time.Time     // when it last reported; zero: never
	Streams    int           // its open streams
}

type verifierName struct{ key, name string }

// verifiers remembers what they report.
type verifiers struct {
	mu    sync.Mutex
	known map[verifierName]*knownVerifier
}

type knownVerifier struct {
	Verifier

	seenAt time.Time // when it last connected or reported
}

func newVerifiers() verifiers {
	return verifiers{known: make(map[verifierName]*knownVerifier)}
}

// seen returns a verifier, which it adds if need be, and notes that it was seen now. The
// caller holds mu.
func (v *verifiers) seen(key, name string) *knownVerifier {
	id := verifierName{key, name}
	known, ok := v.known[id]
	if !ok {
		if len(v.known) >= maxVerifiers {
			v.forgetOldest()
		}
		known = &knownVerifier{Verifier: Verifier{Key: key, Name: name}}
		v.known[id] = known
	}
	known.seenAt = time.Now()
	return known
}

// forgetOldest removes the verifier that was seen longest ago. The caller holds mu.
func (v *verifiers) forgetOldest() {
	var (
		oldest verifierName
		at     time.Time
	)
	for id, known := range v.known {
		if at.IsZero() || known.seenAt.Before(at) {
			oldest, at = id, known.seenAt
		}
	}
	delete(v.known, oldest)
}

// connected adds n to the open streams of a verifier that gives its name.
func (v *verifiers) connected(key, name string, n int) {
	if name == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.seen(key, name)
	known.Streams = max(known.Streams+n, 0) // it may have been forgotten meanwhile
}

// Report records what a verifier says of itself: that it has applied the revocation of a
// number, and how long that took. A delay of 0 means that it does not say.
func (h *Hub) Report(key, name string, seq uint64, delay time.Duration) {
	v := &h.verifiers
	v.mu.Lock()
	known := v.seen(key, name)
	changed := seq != known.Seq
	known.Seq, known.Delay, known.ReportedAt = seq, delay, h.cfg.Now()
	v.mu.Unlock()
	if changed && delay > 0 {
		h.cfg.Observer.FeedApplied(delay)
	}
}

// Verifiers returns those that are connected or were seen lately, by key and name.
func (h *Hub) Verifiers() []Verifier {
	v := &h.verifiers
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []Verifier
	for id, known := range v.known {
		if known.Streams == 0 && time.Since(known.seenAt) > forgetAfter {
			delete(v.known, id)
		} else {
			all = append(all, known.Verifier)
		}
	}
	slices.SortFunc(all, func(a, b Verifier) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Name, b.Name))
	})
	return all
}
