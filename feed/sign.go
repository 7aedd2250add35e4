package feed

import (
	"fmt"
	"sync"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// record is an entry of the log, and its frame when it has been signed.
type record struct {
	entry revocation.Entry
	prev  sid.ID // the identifier in the entry before it, zero when not known

	mu    sync.Mutex
	frame message
}

// message is something signed, and by which key.
type message struct {
	text  []byte
	keyID string
}

// valid reports whether readers can verify it.
func (h *Hub) valid(m message) bool {
	if m.text == nil {
		return false
	}
	_, published := h.cfg.Signer.Key(m.keyID)
	return published
}

// frame returns the frame of an entry. The first caller signs it.
func (h *Hub) frame(r *record) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.valid(r.frame) {
		return r.frame.text, nil
	}
	event := revocation.Event{Issuer: h.cfg.Issuer, IssuedAt: h.cfg.Now(), Entry: r.entry, Prev: r.prev}
	payload, err := event.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding entry %d: %w", r.entry.Seq, err)
	}
	jws, keyID, err := h.cfg.Signer.Sign(revocation.TypeEvent, payload)
	if err != nil {
		return nil, fmt.Errorf("signing entry %d: %w", r.entry.Seq, err)
	}
	text := make([]byte, 0, len(jws)+64)
	r.frame = message{revocation.AppendFrame(text, r.entry.Seq, revocation.FrameRevoked, jws), keyID}
	return r.frame.text, nil
}
