package feed

import (
	"fmt"
	"sync"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// record is a revocation, and its frame once it has been signed.
type record struct {
	entry revocation.Entry
	prev  sid.ID // the identifier in the revocation before it; zero when not known

	mu    sync.Mutex
	frame message
}

// message is a signed text, and the id of the key that signed it.
type message struct {
	text  []byte
	keyID string
}

// verifiable reports whether the message is there and its key is published.
func (h *Hub) verifiable(m message) bool {
	if m.text == nil {
		return false
	}
	_, published := h.cfg.Signer.Key(m.keyID)
	return published
}

// signedFrame returns the frame of a revocation. The first caller signs it.
func (h *Hub) signedFrame(r *record) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.verifiable(r.frame) {
		return r.frame.text, nil
	}
	event := revocation.Event{Issuer: h.cfg.Issuer, IssuedAt: h.cfg.Now(), Entry: r.entry, Prev: r.prev}
	payload, err := event.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding revocation %d: %w", r.entry.Seq, err)
	}
	jws, keyID, err := h.cfg.Signer.Sign(revocation.TypeEvent, payload)
	if err != nil {
		return nil, fmt.Errorf("signing revocation %d: %w", r.entry.Seq, err)
	}
	text := make([]byte, 0, len(jws)+64)
	r.frame = message{revocation.AppendFrame(text, r.entry.Seq, revocation.FrameRevoked, jws), keyID}
	return r.frame.text, nil
}
