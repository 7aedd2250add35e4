package feed

import (
	"context"

	"issuer.example/revocation"
	"issuer.example/sid"
)

const (
	// pageSize is how many revocations are read from the log at once.
	pageSize = 512
	// groupSize is how many are added to the ring at once.
	groupSize = 16
)

// readLog reads what was added to the log, to its end, and wakes the readers.
func (h *Hub) readLog(ctx context.Context) error {
	release, err := acquire(ctx, h.reading)
	if err != nil {
		return err
	}
	defer release()
	for {
		head := h.Head()
		entries, first, err := h.cfg.Log.Revocations(ctx, max(head, 1)-1, pageSize) // with the head, if there is one
		if err != nil {
			return err
		}
		more := len(entries) == pageSize
		if head > 0 {
			if h.wentBack(head, entries, first) {
				h.cfg.Logger.WarnContext(ctx, "the log of revocations has gone back: an older state of the store was restored, or a standby took over that lacked the newest writes",
					"from", head)
				h.beginAnew()
				continue
			}
			if len(entries) > 0 && entries[0].Seq == head {
				entries = entries[1:]
			}
		}
		for i := 0; i < len(entries); i += groupSize {
			h.add(entries[i:min(i+groupSize, len(entries))])
		}
		if !more {
			h.endOfLog(len(entries) == 0, first)
			return nil
		}
	}
}

// wentBack reports whether the log no longer has the revocation that the hub has read last, although it
// was not trimmed, or has another one in its place. entries were read from there on.
func (h *Hub) wentBack(head uint64, entries []revocation.Entry, first uint64) bool {
	if first > head {
		return false
	}
	if len(entries) == 0 || entries[0].Seq != head {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == 0 {
		return false // it is not known which one it was
	}
	known := &h.ring[head%ringSize].entry
	return known.SID != entries[0].SID || known.Scope != entries[0].Scope || !known.At.Equal(entries[0].At)
}

// beginAnew forgets all that was read. The readers of what was read end.
func (h *Hub) beginAnew() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.history++
	h.loaded, h.head, h.last, h.held, h.alive = false, 0, sid.ID{}, 0, nil
	clear(h.ring[:])
	h.wakeReaders()
}

// add adds revocations that follow on each other to the ring. While there are readers it
// signs them first, so that the readers do not all wait for the one that signs.
func (h *Hub) add(entries []revocation.Entry) {
	h.mu.Lock()
	head, last, sign := h.head, h.last, h.loaded && h.readers > 0
	h.mu.Unlock()
	records := make([]*record, len(entries))
	for i := range entries {
		if entries[i].Seq != head+1 {
			last = sid.ID{} // what was before it has been trimmed
		}
		records[i] = &record{entry: entries[i], prev: last}
		head, last = entries[i].Seq, entries[i].SID
		if sign {
			_, _ = h.signedFrame(records[i]) // on an error, a reader tries again and reports it
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range records {
		if r.entry.Seq != h.head+1 {
			h.held = 0
		}
		h.head = r.entry.Seq
		h.ring[h.head%ringSize] = r
		h.held = min(h.held+1, ringSize)
	}
	h.last = last
	h.wakeReaders()
}

// endOfLog notes that the log has been read to its end. If nothing is left in it, first says
// where the end is.
func (h *Hub) endOfLog(empty bool, first uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded = true
	if empty && first > h.head+1 {
		h.head, h.last, h.held = first-1, sid.ID{}, 0
		h.wakeReaders()
	}
}

// wakeReaders tells the readers that the head has changed. The caller holds mu.
func (h *Hub) wakeReaders() {
	close(h.headChanged)
	h.headChanged = make(chan struct{})
}

// oldest is the smallest number in the ring, head+1 if it is empty. The caller holds mu.
func (h *Hub) oldest() uint64 { return h.head + 1 - h.held }
