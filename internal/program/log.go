package program

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// keptLines is how many lines of a log are kept for messages.
const keptLines = 40

// Entry is the part of a line of the log that tests read.
type Entry struct {
	Level   string `json:"level"`
	Message string `json:"msg"`
	Public  string `json:"public"` // address of the public listener, in the entry "serving"
	Admin   string `json:"admin"`
}

// Log collects the log of a running program.
type Log struct {
	mu     sync.Mutex
	tail   []string         // the newest lines
	first  map[string]Entry // by message, the first with it
	counts map[string]int   // by message
	grown  chan struct{}    // replaced at each new line
	closed bool
}

func newLog() *Log {
	return &Log{first: map[string]Entry{}, counts: map[string]int{}, grown: make(chan struct{})}
}

// read reads lines until the end.
func (l *Log) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		l.add(line, err != nil)
		if err != nil {
			return
		}
	}
}

func (l *Log) add(line string, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if line != "" {
		if len(l.tail) == keptLines {
			l.tail = l.tail[1:]
		}
		l.tail = append(l.tail, line)
	}
	if entry, ok := ParseEntry(line); ok {
		if l.counts[entry.Message] == 0 {
			l.first[entry.Message] = entry
		}
		l.counts[entry.Message]++
	}
	l.closed = l.closed || last
	close(l.grown)
	l.grown = make(chan struct{})
}

// ParseEntry reads a line of the log.
func ParseEntry(line string) (entry Entry, ok bool) {
	err := json.Unmarshal([]byte(line), &entry)
	return entry, err == nil
}

// Text returns the newest lines of the log.
func (l *Log) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "")
}

// Count returns the number of entries with this message.
func (l *Log) Count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[message]
}

// Await waits for an entry with this message and returns the first one. The error is
// [ErrEnded] when the log ends without one.
func (l *Log) Await(ctx context.Context, message string) (Entry, error) {
	for {
		entry, ok, grown, closed := l.find(message)
		if ok {
			return entry, nil
		}
		if closed {
			return Entry{}, fmt.Errorf("waiting for %q: %w:\n%s", message, ErrEnded, l.Text())
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Entry{}, fmt.Errorf("waiting for %q: %w:\n%s", message, context.Cause(ctx), l.Text())
		}
	}
}

// AwaitCount waits until there are that many entries with this message. The error is [ErrEnded]
// when the log ends before.
func (l *Log) AwaitCount(ctx context.Context, message string, count int) error {
	for {
		_, _, grown, closed := l.find(message)
		if l.Count(message) >= count {
			return nil
		}
		if closed {
			return fmt.Errorf("waiting for %d times %q: %w:\n%s", count, message, ErrEnded, l.Text())
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d times %q: %w:\n%s", count, message, context.Cause(ctx), l.Text())
		}
	}
}

func (l *Log) find(message string) (entry Entry, ok bool, grown chan struct{}, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, ok = l.first[message]
	return entry, ok, l.grown, l.closed
}
