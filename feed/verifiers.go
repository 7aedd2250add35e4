package feed

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"
)

const (
	// maxVerifiers bounds how many are remembered; the one that was silent for longest
	// is forgotten first.
	maxVerifiers = 4096
	// forgetAfter is how long one is remembered that is not connected and says nothing.
	forgetAfter = time.Hour
)

// Verifier is what is known of one that follows the feed.
type Verifier struct {
	Key        string        // the name of its service key
	Name       string        // what it calls itself
	Seq        uint64        // the number that it has applied last
	Delay      time.Duration // how long after its revocation that was, by the verifier's clock
	ReportedAt time.Time     // when it said so; zero: never
	Streams    int           // its open streams
}

type verifierName struct{ key, name string }

// verifiers remembers what they report.
type verifiers struct {
	mu     sync.Mutex
	known  map[verifierName]*list.Element
	recent *list.List // of *heard, the one heard of last in front
}

// heard is a verifier, and when it was last heard of.
type heard struct {
	Verifier

	at time.Time
}

func newVerifiers() verifiers {
	return verifiers{known: make(map[verifierName]*list.Element), recent: list.New()}
}

// touch finds a verifier, or adds it. The caller holds mu.
func (v *verifiers) touch(key, name string) *heard {
	id := verifierName{key, name}
	e, ok := v.known[id]
	if ok {
		v.recent.MoveToFront(e)
	} else {
		if v.recent.Len() >= maxVerifiers {
			v.forget(v.recent.Back())
		}
		e = v.recent.PushFront(&heard{Verifier: Verifier{Key: key, Name: name}})
		v.known[id] = e
	}
	known, _ := e.Value.(*heard)
	known.at = time.Now()
	return known
}

func (v *verifiers) forget(e *list.Element) {
	if known, ok := v.recent.Remove(e).(*heard); ok {
		delete(v.known, verifierName{known.Key, known.Name})
	}
}

// connected adds to the streams of a verifier that says its name.
func (v *verifiers) connected(key, name string, n int) {
	if name == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.touch(key, name)
	known.Streams = max(known.Streams+n, 0) // it may have been forgotten meanwhile
}

// Report takes what a verifier says of itself: that it has applied the entry of a number,
// and how long after its revocation. The delay of 0 says nothing.
func (h *Hub) Report(key, name string, seq uint64, delay time.Duration) {
	v := &h.verifiers
	v.mu.Lock()
	known := v.touch(key, name)
	fresh := seq != known.Seq
	known.Seq, known.Delay, known.ReportedAt = seq, delay, h.cfg.Now()
	v.mu.Unlock()
	if fresh && delay > 0 {
		h.cfg.Observer.FeedApplied(delay)
	}
}

// Verifiers returns those that have been heard of lately, by key and name.
func (h *Hub) Verifiers() []Verifier {
	v := &h.verifiers
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []Verifier
	for e := v.recent.Front(); e != nil; {
		next := e.Next()
		if known, ok := e.Value.(*heard); ok {
			if known.Streams == 0 && time.Since(known.at) > forgetAfter {
				v.forget(e)
			} else {
				all = append(all, known.Verifier)
			}
		}
		e = next
	}
	slices.SortFunc(all, func(a, b Verifier) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Name, b.Name))
	})
	return all
}
