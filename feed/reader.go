package feed

import (
	"context"
	"fmt"
	"time"

	"issuer.example/sid"
)

// maxFrames is how many revocations a reader is given at once.
const maxFrames = 64

// Reader is one client's place in the log. One goroutine uses it.
type Reader struct {
	hub      *Hub
	key      string
	verifier string

	history    uint64      // of the log that it reads
	cursor     uint64      // the number of the last revocation that was given
	aliveDue   bool        // an alive message is to be given
	aliveSince time.Time   // if one is due: made at this time or later
	end        time.Time   // of the reader's life
	timer      *time.Timer // for the next alive message or the end, whichever is earlier
	frames     [][]byte    // reused
}

// Close ends the reader, for one of the reasons of the End constants.
func (r *Reader) Close(why string) {
	r.timer.Stop()
	r.hub.removeReader(r.key)
	r.hub.verifiers.connected(r.key, r.verifier, -1)
	r.hub.cfg.Observer.FeedEnded(why)
}

// Next waits until there is something to send and returns it, as whole frames. Other readers
// share them: callers must not change them, and the slice is valid until the next call only.
// The error is [ErrEnd], [ErrStopped], [ErrGone], the context's, or that of the log or the
// signer.
func (r *Reader) Next(ctx context.Context) ([][]byte, error) {
	for {
		changed, err := r.collect(ctx)
		if err != nil {
			return nil, err
		}
		if len(r.frames) > 0 {
			r.hub.cfg.Observer.FeedSent(len(r.frames))
			return r.frames, nil
		}
		select {
		case <-changed.head:
		case <-changed.alive:
		case now := <-r.timer.C:
			if late, err := r.onTimer(now); err != nil || late {
				return [][]byte{comment()}, err
			}
		case <-r.hub.stopping:
			return nil, ErrStopped
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// onTimer makes an alive message due, or ends the reader. late reports that the one which
// was due before has not come yet: the client then gets a comment.
func (r *Reader) onTimer(now time.Time) (late bool, err error) {
	if !now.Before(r.end) {
		return false, ErrEnd
	}
	late = r.aliveDue
	if !r.aliveDue {
		r.aliveDue, r.aliveSince = true, now.Add(-aliveAge)
	}
	r.timer.Reset(min(aliveEvery, r.end.Sub(now)))
	return late, nil
}

// changes are the channels that a reader waits for when it has nothing to send.
type changes struct{ head, alive <-chan struct{} }

// collect sets r.frames to what can be sent now. An alive message comes after the
// revocations that it vouches for, and before those that are newer than it.
func (r *Reader) collect(ctx context.Context) (changes, error) {
	r.frames = r.frames[:0]
	next := r.lookUp()
	if next.gone {
		return changes{}, ErrGone
	}
	if next.behind {
		return changes{}, r.replay(ctx)
	}
	for _, record := range next.records[:next.n] {
		frame, err := r.hub.signedFrame(record)
		if err != nil {
			return changes{}, err
		}
		r.frames = append(r.frames, frame)
		r.cursor = record.entry.Seq
	}
	switch {
	case next.alive != nil && r.cursor == next.alive.seq:
		r.frames, r.aliveDue = append(r.frames, next.alive.text), false
	case r.aliveDue && next.alive == nil:
		r.hub.requestAlive()
	}
	return next.changes, nil
}

// found is what the hub has in memory for a reader.
type found struct {
	gone    bool // the log has gone back
	behind  bool // the ring no longer holds what the reader needs next
	records [maxFrames]*record
	n       int           // of the records
	alive   *aliveMessage // nil if none is due, or none that will do
	changes changes
}

// lookUp looks for what the reader needs next, in the memory of the hub.
func (r *Reader) lookUp() (next found) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if next.gone = r.history != h.history; next.gone {
		return next
	}
	next.behind = r.cursor+1 < h.oldest()
	to, alive := h.head, h.alive
	if r.aliveDue && alive != nil && alive.seq >= r.cursor && !alive.at.Before(r.aliveSince) && h.verifiable(alive.message) {
		next.alive, to = alive, alive.seq
	}
	if !next.behind {
		for seq := r.cursor + 1; next.n < maxFrames && seq <= to; seq++ {
			next.records[next.n] = h.ring[seq%ringSize]
			next.n++
		}
	}
	next.changes.head = h.headChanged
	if r.aliveDue {
		next.changes.alive = h.aliveChanged
	}
	return next
}

// replay sets r.frames to revocations that the ring no longer holds, read and signed for
// this reader alone.
func (r *Reader) replay(ctx context.Context) error {
	release, err := acquire(ctx, r.hub.replaying)
	if err != nil {
		return err
	}
	defer release()
	var prev sid.ID
	from := r.cursor
	if from > 0 {
		from-- // to learn the identifier before the first
	}
	entries, first, err := r.hub.cfg.Log.Revocations(ctx, from, maxFrames+1)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if first > r.cursor+1 || len(entries) == 0 {
		return ErrGone
	}
	for i := range entries {
		if entries[i].Seq == r.cursor+1 {
			frame, err := r.hub.signedFrame(&record{entry: entries[i], prev: prev})
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
