package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// life is how long a reader lives, give or take a fifth, so that readers which were opened
// together do not all end together.
const life = 15 * time.Minute

// Subscription says what a reader reads, and for whom.
type Subscription struct {
	// Key is the name of the service key.
	Key string
	// Verifier is the name that the client uses in its reports; "" if it gives none.
	Verifier string
	// After is the resume point: the number of the last revocation that the client has.
	After uint64
}

// Subscribe opens a reader. The error is [ErrGone], [ErrKeyLimit], [ErrLimit],
// [ErrStopped], or that of the log. The caller closes the reader.
func (h *Hub) Subscribe(ctx context.Context, s Subscription) (*Reader, error) {
	if err := h.addReader(s.Key); err != nil {
		return nil, err
	}
	history, err := h.checkResumePoint(ctx, s.After)
	if err != nil {
		h.removeReader(s.Key)
		if errors.Is(err, ErrGone) {
			h.cfg.Observer.FeedEnded(EndGone)
		}
		return nil, err
	}
	now := time.Now()
	r := &Reader{
		hub: h, key: s.Key, verifier: s.Verifier, history: history, cursor: s.After,
		aliveDue: true, aliveSince: now.Add(-aliveAge),
		end: now.Add(life + time.Duration((rand.Float64()-0.5)*0.4*float64(life))), //nolint:gosec // no secret
	}
	r.timer = time.NewTimer(aliveEvery)
	h.verifiers.connected(s.Key, s.Verifier, 1)
	return r, nil
}

// addReader counts a reader, if the limits admit one more.
func (h *Hub) addReader(key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stopped():
		return ErrStopped
	case h.byKey[key] >= h.cfg.MaxReadersPerKey:
		return ErrKeyLimit
	case h.readers >= h.cfg.MaxReaders:
		return ErrLimit
	}
	h.readers++
	h.byKey[key]++
	return nil
}

func (h *Hub) removeReader(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers--
	if h.byKey[key]--; h.byKey[key] == 0 {
		delete(h.byKey, key)
	}
}

// checkResumePoint is [ErrGone] if the revocation after the resume point was trimmed, or if
// the resume point lies beyond the end of the log. It returns the history that the resume point is in.
func (h *Hub) checkResumePoint(ctx context.Context, after uint64) (history uint64, err error) {
	h.mu.Lock()
	loaded, head := h.loaded, h.head
	h.mu.Unlock()
	if !loaded || after > head { // a snapshot, or another issuer, can be ahead of the hub
		if err := h.readLog(ctx); err != nil {
			return 0, fmt.Errorf("reading the log: %w", err)
		}
	}
	h.mu.Lock()
	history, head = h.history, h.head
	oldest := h.oldest()
	h.mu.Unlock()
	if after > head {
		return 0, ErrGone
	}
	if after+1 >= oldest {
		return history, nil
	}
	_, first, err := h.cfg.Log.Revocations(ctx, after, 1)
	if err != nil {
		return 0, fmt.Errorf("reading the log: %w", err)
	}
	if after+1 < first {
		return 0, ErrGone
	}
	return history, nil
}
