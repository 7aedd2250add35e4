package revocations

import (
	"errors"
	"net/http"
	"time"

	"issuer.example/handlers/exchange"
)

// errNotSent means that a frame could not be written.
var errNotSent = errors.New("revocations: frame not sent")

// sender writes frames to one client.
type sender struct {
	out     http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // for each call of send
}

// newSender sets the headers of the stream.
func newSender(x *exchange.Exchange, timeout time.Duration) *sender {
	h := x.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform") // a proxy that compresses holds frames back
	h.Set("X-Accel-Buffering", "no")                 // so that nginx does not hold frames back
	return &sender{out: x.Writer(), control: x.Control(), timeout: timeout}
}

// send writes and flushes frames. The error is an errNotSent if the client does not take them in time.
func (s *sender) send(frames [][]byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return errors.Join(errNotSent, err)
	}
	for _, frame := range frames {
		if _, err := s.out.Write(frame); err != nil {
			return errors.Join(errNotSent, err)
		}
	}
	if err := s.control.Flush(); err != nil {
		return errors.Join(errNotSent, err)
	}
	// HTTP/2 ends the stream at the deadline even if nothing is being written.
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil {
		return errors.Join(errNotSent, err)
	}
	return nil
}

// end bounds how long the end of the answer may take, which net/http sends after the handler.
func (s *sender) end() { _ = s.control.SetWriteDeadline(time.Now().Add(s.timeout)) }
