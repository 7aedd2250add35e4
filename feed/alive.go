package feed

import (
	"context"
	"fmt"
	"time"

	"issuer.example/revocation"
)

const (
	// aliveEvery is how often a reader is told that nothing is missing.
	aliveEvery = 10 * time.Second
	// aliveApart is how far apart two are signed. Readers are due at times of their own,
	// so that thousands are not woken at once; those that are due in between share one.
	aliveApart = 50 * time.Millisecond
	// aliveAge is how old one may be that a reader is given.
	aliveAge = time.Second
)

// alive says that the log ended at seq at one moment.
type alive struct {
	message // its frame, and the comment for proxies

	seq uint64
	at  time.Time // when the log was read
}

// comment is what readers get when there is no alive for them.
func comment() []byte { return revocation.AppendComment(nil, "alive") }

// want asks for an alive.
func (h *Hub) want() {
	select {
	case h.wanted <- struct{}{}:
	default:
	}
}

// untilAlive is how long the next alive has to wait.
func (h *Hub) untilAlive() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alive == nil {
		return 0
	}
	return max(aliveApart-time.Since(h.alive.at), 0)
}

// speak signs an alive for the end of the log. The log is read before: what the issuer
// doesn't know it doesn't vouch for.
func (h *Hub) speak(ctx context.Context) error {
	at, issued := time.Now(), h.cfg.Now()
	if err := h.pull(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	word := revocation.Alive{Issuer: h.cfg.Issuer, IssuedAt: issued, Seq: h.head, Last: h.last}
	h.mu.Unlock()
	payload, err := word.Encode()
	if err != nil {
		return fmt.Errorf("encoding an alive: %w", err)
	}
	jws, keyID, err := h.cfg.Signer.Sign(revocation.TypeAlive, payload)
	if err != nil {
		return fmt.Errorf("signing an alive: %w", err)
	}
	text := revocation.AppendFrame(comment(), 0, revocation.FrameAlive, jws)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alive = &alive{message{text, keyID}, word.Seq, at}
	close(h.alives)
	h.alives = make(chan struct{})
	return nil
}
