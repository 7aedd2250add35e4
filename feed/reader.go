package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"issuer.example/sid"
)

const (
	// life is how long a reader lives, give or take a fifth, so that readers which came
	// together do not come back together.
	life = 15 * time.Minute
	// mostFrames is how many events a reader is given at once.
	mostFrames = 64
)

// Reader is one client's place in the log. It is used by one goroutine.
type Reader struct {
	hub      *Hub
	key      string
	verifier string

	cursor uint64      // the number of the last event given
	due    bool        // an alive is to be given
	since  time.Time   // if due: by one as old as this
	next   time.Time   // when an alive is due
	end    time.Time   // of its life
	timer  *time.Timer // for the earlier of the two
	frames [][]byte    // reused
}

// Subscription says what a reader is to read, and for whom.
type Subscription struct {
	// Key is the name of the service key.
	Key string
	// Verifier is what the client calls itself in its reports; "" if it doesn't say.
	Verifier string
	// After is the resume point: the number of the last event that the client has.
	After uint64
}

// Subscribe begins a reader. The error is [ErrGone], [ErrKeyLimit], [ErrLimit],
// [ErrStopped], or that of the log. The caller closes the reader.
func (h *Hub) Subscribe(ctx context.Context, s Subscription) (*Reader, error) {
	if err := h.join(s.Key); err != nil {
		return nil, err
	}
	if err := h.reachable(ctx, s.After); err != nil {
		h.part(s.Key)
		if errors.Is(err, ErrGone) {
			h.cfg.Observer.FeedEnded(EndGone)
		}
		return nil, err
	}
	now := time.Now()
	r := &Reader{
		hub: h, key: s.Key, verifier: s.Verifier, cursor: s.After,
		due: true, since: now.Add(-aliveAge), next: now.Add(aliveEvery),
		end: now.Add(life + time.Duration((rand.Float64()-0.5)*0.4*float64(life))), //nolint:gosec // no secret
	}
	r.timer = time.NewTimer(aliveEvery)
	h.verifiers.connected(s.Key, s.Verifier, 1)
	return r, nil
}

func (h *Hub) join(key string) error {
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

func (h *Hub) part(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers--
	if h.byKey[key]--; h.byKey[key] == 0 {
		delete(h.byKey, key)
	}
}

// reachable tells whether the entry behind a resume point can be had, or will be.
func (h *Hub) reachable(ctx context.Context, after uint64) error {
	h.mu.Lock()
	loaded, head := h.loaded, h.head
	h.mu.Unlock()
	if !loaded || after > head { // a snapshot can be ahead of what has been pulled
		if err := h.pull(ctx); err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
	}
	h.mu.Lock()
	head, oldest := h.head, h.oldest()
	h.mu.Unlock()
	if after > head {
		return ErrGone
	}
	if after+1 >= oldest {
		return nil
	}
	_, first, err := h.cfg.Log.Entries(ctx, after, 1)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if after+1 < first {
		return ErrGone
	}
	return nil
}

// Close ends the reader, and says why: one of the End constants.
func (r *Reader) Close(why string) {
	r.timer.Stop()
	r.hub.part(r.key)
	r.hub.verifiers.connected(r.key, r.verifier, -1)
	r.hub.cfg.Observer.FeedEnded(why)
}

// Next waits until there is something to send and returns it, as whole frames. They are
// shared with other readers: nobody changes them, and the slice holds them until the next
// call only. The error is [ErrEnd], [ErrStopped], [ErrGone], the context's, or that of the
// log or the signer.
func (r *Reader) Next(ctx context.Context) ([][]byte, error) {
	for {
		frames, grown, alives, err := r.take(ctx)
		if err != nil {
			return nil, err
		}
		if len(frames) > 0 {
			r.hub.cfg.Observer.FeedSent(len(frames))
			return frames, nil
		}
		select {
		case <-grown:
		case <-alives:
		case now := <-r.timer.C:
			if late, err := r.tick(now); err != nil || late {
				return [][]byte{comment()}, err
			}
		case <-r.hub.stopping:
			return nil, ErrStopped
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tick is called when an alive is due or the life over. It is late when the last alive
// that was due has not come yet: then a comment must do.
func (r *Reader) tick(now time.Time) (late bool, err error) {
	if !now.Before(r.end) {
		return false, ErrEnd
	}
	late = r.due
	if !r.due {
		r.due, r.since = true, now.Add(-aliveAge)
	}
	r.next = now.Add(aliveEvery)
	r.timer.Reset(min(aliveEvery, r.end.Sub(now)))
	return late, nil
}

// take returns what there is, and what to wait for when there is nothing. An alive comes
// after the events that it vouches for and before those that it does not know.
func (r *Reader) take(ctx context.Context) (frames [][]byte, grown, alives <-chan struct{}, err error) {
	h := r.hub
	var records [mostFrames]*record
	h.mu.Lock()
	behind, to := r.cursor+1 < h.oldest(), h.head
	word := h.alive
	if !r.due || word == nil || word.seq < r.cursor || word.at.Before(r.since) || !h.valid(word.message) {
		word = nil
	} else {
		to = word.seq
	}
	n := 0
	if !behind {
		for ; n < mostFrames && r.cursor+uint64(n) < to; n++ {
			records[n] = h.ring[(r.cursor+uint64(n)+1)%ringSize]
		}
	}
	grown = h.grown
	if r.due {
		alives = h.alives
	}
	h.mu.Unlock()

	r.frames = r.frames[:0]
	if behind {
		if err := r.replay(ctx); err != nil {
			return nil, nil, nil, err
		}
		return r.frames, nil, nil, nil
	}
	for _, record := range records[:n] {
		frame, err := h.frame(record)
		if err != nil {
			return nil, nil, nil, err
		}
		r.frames = append(r.frames, frame)
		r.cursor = record.entry.Seq
	}
	switch {
	case word != nil && r.cursor == word.seq:
		r.frames, r.due = append(r.frames, word.text), false
	case r.due && word == nil:
		h.want()
	}
	return r.frames, grown, alives, nil
}

// replay reads what the ring no longer holds, for this reader alone.
func (r *Reader) replay(ctx context.Context) error {
	leave, err := enter(ctx, r.hub.replay)
	if err != nil {
		return err
	}
	defer leave()
	var prev sid.ID
	from := r.cursor
	if from > 0 {
		from-- // for the identifier before
	}
	entries, first, err := r.hub.cfg.Log.Entries(ctx, from, mostFrames+1)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if first > r.cursor+1 || len(entries) == 0 {
		return ErrGone
	}
	for i := range entries {
		if entries[i].Seq == r.cursor+1 {
			frame, err := r.hub.frame(&record{entry: entries[i], prev: prev})
			if err != nil {
				return err
			}
			r.frames = append(r.frames, frame)
			r.cursor++
		}
		prev = entries[i].SID
	}
	return nil
}
