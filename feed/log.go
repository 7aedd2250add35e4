package feed

import (
	"context"

	"issuer.example/revocation"
	"issuer.example/sid"
)

const (
	// pageSize is how many entries are read from the log at once.
	pageSize = 512
	// groupSize is how many are made known to the readers at once.
	groupSize = 16
)

// pull reads what the log has gained, and wakes the readers.
func (h *Hub) pull(ctx context.Context) error {
	leave, err := enter(ctx, h.pulling)
	if err != nil {
		return err
	}
	defer leave()
	for {
		head := h.Head()
		entries, first, err := h.cfg.Log.Entries(ctx, head, pageSize)
		if err != nil {
			return err
		}
		for i := 0; i < len(entries); i += groupSize {
			h.extend(entries[i:min(i+groupSize, len(entries))])
		}
		if len(entries) == pageSize {
			continue
		}
		h.settle(len(entries) == 0, first)
		return nil
	}
}

// extend adds entries that follow on each other. News is signed first, when anybody
// waits for them, so that the readers do not all wait for the one that signs.
func (h *Hub) extend(entries []revocation.Entry) {
	h.mu.Lock()
	head, last, watched := h.head, h.last, h.loaded && h.readers > 0
	h.mu.Unlock()
	records := make([]*record, len(entries))
	for i := range entries {
		if entries[i].Seq != head+1 {
			last = sid.ID{} // what was before it is purged
		}
		records[i] = &record{entry: entries[i], prev: last}
		head, last = entries[i].Seq, entries[i].SID
		if watched {
			_, _ = h.frame(records[i]) // a reader tries again, and says what is wrong
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
	close(h.grown)
	h.grown = make(chan struct{})
}

// settle notes that the log has been read to its end. When nothing of it is kept, first
// tells where the end is.
func (h *Hub) settle(empty bool, first uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded = true
	if empty && first > h.head+1 {
		h.head, h.last, h.held = first-1, sid.ID{}, 0
		close(h.grown)
		h.grown = make(chan struct{})
	}
}

// oldest is the smallest number in the ring, head+1 if it is empty. The caller holds mu.
func (h *Hub) oldest() uint64 { return h.head + 1 - h.held }
