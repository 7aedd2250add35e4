package feed

import (
	"context"
	"fmt"
	"time"

	"issuer.example/revocation"
)

const (
	// aliveEvery is how often a reader is told that it has missed nothing.
	aliveEvery = 10 * time.Second
	// aliveApart is the least time between two signatures. Readers are due at different
	// times, so that thousands are not woken at once; those that are due within it share one.
	aliveApart = 50 * time.Millisecond
	// aliveAge is how old an alive message may be when a reader gets it.
	aliveAge = time.Second
)

// aliveMessage says that at one moment seq was the number of the newest revocation.
type aliveMessage struct {
	message // its frame, and a comment that keeps proxies from closing the connection

	seq uint64
	at  time.Time // when the log was read
}

// comment is what a reader gets while no alive message can be made.
func comment() []byte { return revocation.AppendComment(nil, "alive") }

// requestAlive asks Run for an alive message.
func (h *Hub) requestAlive() {
	select {
	case h.aliveWanted <- struct{}{}:
	default: // it has been asked already
	}
}

// nextAliveIn is the time until the next alive message may be signed.
func (h *Hub) nextAliveIn() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alive == nil {
		return 0
	}
	return max(aliveApart-time.Since(h.alive.at), 0)
}

// signAlive reads the log to its end and signs an alive message for that. The log is read
// first, so that the message vouches only for what the issuer knows.
func (h *Hub) signAlive(ctx context.Context) error {
	at, issued := time.Now(), h.cfg.Now()
	if err := h.readLog(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	claims := revocation.Alive{Issuer: h.cfg.Issuer, IssuedAt: issued, Seq: h.head, Last: h.last}
	h.mu.Unlock()
	payload, err := claims.Encode()
	if err != nil {
		return fmt.Errorf("encoding an alive message: %w", err)
	}
	jws, keyID, err := h.cfg.Signer.Sign(revocation.TypeAlive, payload)
	if err != nil {
		return fmt.Errorf("signing an alive message: %w", err)
	}
	text := revocation.AppendFrame(comment(), 0, revocation.FrameAlive, jws)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alive = &aliveMessage{message{text, keyID}, claims.Seq, at}
	close(h.aliveChanged)
	h.aliveChanged = make(chan struct{})
	return nil
}
