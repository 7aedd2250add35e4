package logging

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// What the buffer holds at most. A line of a request has some 300 bytes.
const (
	maxLines = 8192
	maxBytes = 4 << 20
)

// noticeEvery is how often dropped lines are announced while more are being dropped.
const noticeEvery = time.Second

// writer buffers lines for one goroutine that writes them.
type writer struct {
	out     io.Writer
	notice  func(dropped int64) []byte // returns the line about dropped lines
	lines   chan []byte
	held    atomic.Int64 // bytes in lines
	dropped atomic.Int64 // lines that were not written

	closing   chan struct{}
	closeOnce sync.Once
	ended     chan struct{} // closed when run has ended

	// Of run alone:
	torn        bool  // the last line was written in part
	announced   int64 // how many of the dropped lines a notice has named
	announcedAt time.Time
}

func newWriter(out io.Writer) *writer {
	return &writer{
		out: out, lines: make(chan []byte, maxLines), closing: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Write puts a line into the buffer, or drops it if the buffer is full. It returns no error.
func (w *writer) Write(line []byte) (int, error) {
	if w.held.Add(int64(len(line))) > maxBytes {
		w.drop(line)
		return len(line), nil
	}
	select {
	case w.lines <- bytes.Clone(line):
	default:
		w.drop(line)
	}
	return len(line), nil
}

func (w *writer) drop(line []byte) {
	w.held.Add(-int64(len(line)))
	w.dropped.Add(1)
}

// run writes the lines of the buffer until it is closed, and then those that are left in it.
func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case line := <-w.lines:
			w.write(line)
		case <-w.closing:
			for {
				select {
				case line := <-w.lines:
					w.write(line)
				default:
					return
				}
			}
		}
	}
}

// write writes one line, which is dropped if that fails: the reader of a pipe may have gone
// away, or the disk may be full.
func (w *writer) write(line []byte) {
	err := w.writeWhole(line)
	w.held.Add(-int64(len(line)))
	if err != nil {
		w.dropped.Add(1)
		return
	}
	dropped := w.dropped.Load()
	if dropped == w.announced || len(w.lines) > 0 && time.Since(w.announcedAt) < noticeEvery {
		return
	}
	if w.writeWhole(w.notice(dropped-w.announced)) == nil {
		w.announced, w.announcedAt = dropped, time.Now()
	}
}

// writeWhole writes a line. A line before it of which only a part was written, because the disk was
// full, is ended first, so that this one does not become the rest of it.
func (w *writer) writeWhole(line []byte) error {
	if w.torn {
		if _, err := w.out.Write([]byte{'\n'}); err != nil {
			return err
		}
	}
	n, err := w.out.Write(line)
	w.torn = err != nil && n > 0
	return err
}

// close ends run when the buffer is empty, and waits for that no longer than grace.
func (w *writer) close(grace time.Duration) {
	w.closeOnce.Do(func() { close(w.closing) })
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
	}
}
