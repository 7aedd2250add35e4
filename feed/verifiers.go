package feed

import (
	"cmp"
	"context"
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
	mu      sync.Mutex
	known   map[verifierName]*knownVerifier
	version uint64 // counts the changes
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
	v.version++
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

// list returns those that are connected or were seen lately, and forgets the others.
func (v *verifiers) list() []knownVerifier {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []knownVerifier
	for id, known := range v.known {
		if known.Streams == 0 && time.Since(known.seenAt) > forgetAfter {
			delete(v.known, id)
		} else {
			all = append(all, *known)
		}
	}
	return all
}

func (v *verifiers) currentVersion() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.version
}

// Followers is who follows the feed, at all issuers on the store.
type Followers struct {
	Streams   int        // that are open
	Verifiers []Verifier // those that are connected or were seen lately, by key and name
}

// Followers returns who follows the feed. What other issuers know is some seconds old; that of
// an issuer which no longer runs is forgotten as if its verifiers had disconnected. The error is that of
// the [Board].
func (h *Hub) Followers(ctx context.Context) (Followers, error) {
	all := Followers{Streams: h.Readers()}
	for _, known := range h.verifiers.list() {
		all.Verifiers = append(all.Verifiers, known.Verifier)
	}
	if h.cfg.Board != nil {
		if err := h.addPosted(ctx, &all); err != nil {
			return Followers{}, err
		}
	}
	slices.SortFunc(all.Verifiers, func(a, b Verifier) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}
