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
		entries, first, err := h.cfg.Log.Revocations(ctx, h.Head(), pageSize)
		if err != nil {
			return err
		}
		for i := 0; i < len(entries); i += groupSize {
			h.add(entries[i:min(i+groupSize, len(entries))])
		}
		if len(entries) < pageSize {
			h.endOfLog(len(entries) == 0, first)
			return nil
		}
	}
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
