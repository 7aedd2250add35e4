package relay

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// serveStream answers a request for the stream.
func (r *Relay) serveStream(w http.ResponseWriter, req *http.Request) {
	b := r.row.Stream
	if b.Do == "flap" && r.flapped() {
		b.Do = "status"
	}
	switch b.Do {
	case "status":
		refuse(w, b)
		return
	case "page":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>")
		return
	case "hold_headers":
		<-req.Context().Done()
		return
	case "reset":
		panic(http.ErrAbortHandler)
	}
	res, err := r.forward(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if b.Do == "compress" && acceptsGzip(req) {
		w.Header().Set("Content-Encoding", "gzip")
		b.Do = "hold"
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	if http.NewResponseController(w).Flush() != nil {
		return
	}
	s := &stream{relay: r, behaviour: b, out: w, req: req}
	s.copy(res.Body)
}

// stream is one stream on its way.
type stream struct {
	relay     *Relay
	behaviour Behaviour
	out       http.ResponseWriter
	req       *http.Request
}

// timedFrame is a frame and when it came.
type timedFrame struct {
	text []byte
	at   time.Time
}

// copy passes frames on, each as the behaviour says, until either side ends.
func (s *stream) copy(body io.Reader) {
	frames := make(chan timedFrame, 1024)
	ctx, cancel := context.WithCancel(s.req.Context())
	defer cancel()
	go func() {
		defer close(frames)
		read := bufio.NewReader(body)
		for {
			text, err := readFrame(read)
			if err != nil {
				return
			}
			select {
			case frames <- timedFrame{text, time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	for frame := range frames {
		if !s.pass(frame) {
			return
		}
	}
}

// readFrame reads up to and including an empty line.
func readFrame(r *bufio.Reader) ([]byte, error) {
	var frame []byte
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		frame = append(frame, line...)
		if len(line) == 1 {
			return frame, nil
		}
	}
}

// pass does to a frame what the behaviour says. It reports whether the stream goes on.
func (s *stream) pass(frame timedFrame) bool {
	text := frame.text
	isAlive := bytes.Contains(text, []byte("event: alive\n"))
	switch s.behaviour.Do {
	case "flap":
		return !s.relay.flapped() && s.send(text)
	case "hold":
		return true
	case "comments":
		return s.send([]byte(": still here\n\n"))
	case "cut":
		return s.send(text) && !isAlive
	case "drop":
		return bytes.Contains(text, []byte("event: revoked\n")) || s.send(text)
	case "add":
		return s.send(text) && (!isAlive || s.send([]byte(s.behaviour.Frame)))
	case "repeat_alive":
		if isAlive {
			s.repeat(text)
		}
		return !isAlive
	case "delay":
		due := frame.at.Add(time.Duration(s.behaviour.Delay) * time.Second)
		return wait(s.req, time.Until(due)) && s.send(text)
	case "bytes":
		for b := range bytes.SplitSeq(text, nil) {
			if !s.send(b) {
				return false
			}
		}
		return true
	default:
		return s.send(text)
	}
}

// repeat sends the first alive of all streams once a second until the client leaves.
func (s *stream) repeat(alive []byte) {
	s.relay.mu.Lock()
	if s.relay.alive == nil {
		s.relay.alive = []byte(strings.TrimPrefix(string(alive), ": alive\n\n"))
	}
	first := s.relay.alive
	s.relay.mu.Unlock()
	for s.send(first) {
		if !wait(s.req, time.Second) {
			return
		}
	}
}

func (s *stream) send(text []byte) bool {
	if _, err := s.out.Write(text); err != nil {
		return false
	}
	return http.NewResponseController(s.out).Flush() == nil
}
