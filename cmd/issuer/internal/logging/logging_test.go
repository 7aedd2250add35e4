package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/cmd/issuer/internal/logging"
)

const grace = time.Second

// reader is the reader of a log. It can stop reading, and go away.
type reader struct {
	mu     sync.Mutex
	text   bytes.Buffer
	gone   bool
	paused chan struct{} // nil, or closed when it reads again
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	paused := r.paused
	r.mu.Unlock()
	if paused != nil {
		<-paused
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return 0, io.ErrClosedPipe
	}
	return r.text.Write(p)
}

func (r *reader) set(change func(*reader)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// line is a line of the log.
type line struct {
	Message string `json:"msg"`
	Number  int    `json:"n"`
	Lines   int64  `json:"lines"`
}

func (r *reader) lines(t *testing.T) []line {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []line
	for decoder := json.NewDecoder(bytes.NewReader(r.text.Bytes())); ; {
		var l line
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
}

func open(t *testing.T, w io.Writer) *logging.Log {
	t.Helper()
	log, err := logging.Open(w, "info")
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// What is logged is written in order, all of it before Close returns.
func TestWritesInOrder(t *testing.T) {
	var r reader
	log := open(t, &r)
	for n := range 1000 {
		log.Logger.Info("a", "n", n)
	}
	log.Close(grace)
	lines := r.lines(t)
	for n, l := range lines {
		if l.Number != n {
			t.Fatalf("line %d is %+v", n, l)
		}
	}
	if len(lines) != 1000 || log.Dropped() != 0 {
		t.Errorf("%d lines are written, %d dropped", len(lines), log.Dropped())
	}
}

// A reader that stops reading holds up nobody. When it reads again, a line says how many are
// missing: all of the lines are either written or counted.
func TestReaderThatStopsReading(t *testing.T) {
	for name, text := range map[string]string{"short lines": "", "long lines": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reader{paused: make(chan struct{})}
				log := open(t, &r)
				const logged = 12_000
				for n := range logged {
					log.Logger.Info("a", "n", n, "text", text)
				}
				dropped := log.Dropped()
				if dropped == 0 || dropped == logged {
					t.Fatalf("%d of %d are dropped", dropped, logged)
				}
				close(r.paused)
				r.set(func(r *reader) { r.paused = nil })
				synctest.Wait()
				log.Logger.Info("again")
				log.Close(grace)
				written, announced := int64(0), int64(0)
				for _, l := range r.lines(t) {
					announced += l.Lines
					if l.Message == "a" {
						written++
					}
				}
				if announced != dropped || written+dropped != logged || log.Dropped() != dropped {
					t.Errorf("%d written, %d dropped, %d announced of %d", written, log.Dropped(), announced, logged)
				}
			})
		})
	}
}

// A reader that goes away costs the lines until there is another one.
func TestReaderThatGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reader{gone: true}
		log := open(t, &r)
		for range 10 {
			log.Logger.Info("lost")
		}
		synctest.Wait()
		r.set(func(r *reader) { r.gone = false })
		log.Logger.Info("again")
		log.Close(grace)
		lines := r.lines(t)
		if len(lines) != 2 || lines[0].Message != "again" || lines[1].Lines != 10 || log.Dropped() != 10 {
			t.Errorf("%+v, %d dropped", lines, log.Dropped())
		}
	})
}

// disk is a file on a disk with that much room.
type disk struct {
	mu   sync.Mutex
	text bytes.Buffer
	room int
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, _ := d.text.Write(p[:min(len(p), d.room)])
	d.room -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// A line of which only a part could be written spoils no other.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disk{room: 100}
		log := open(t, &d)
		for range 3 {
			log.Logger.Info("lost")
		}
		synctest.Wait()
		d.mu.Lock()
		d.room = 1 << 20
		d.mu.Unlock()
		log.Logger.Info("again")
		log.Close(grace)
		var whole []string
		for text := range strings.Lines(d.text.String()) {
			var l line
			if json.Unmarshal([]byte(text), &l) == nil {
				whole = append(whole, l.Message)
			}
		}
		if want := []string{"lost", "again", "lines of the log were dropped, because its reader did not read"}; !slices.Equal(whole, want) || log.Dropped() != 2 {
			t.Errorf("the whole lines are %q, %d dropped, in\n%s", whole, log.Dropped(), d.text.String())
		}
	})
}

// Close gives up on a reader that does not read.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reader{paused: make(chan struct{})}
		defer close(r.paused)
		log := open(t, &r)
		log.Logger.Info("a")
		begin := time.Now()
		log.Close(grace)
		if took := time.Since(begin); took != grace {
			t.Errorf("it took %v", took)
		}
	})
}

func TestLevels(t *testing.T) {
	var r reader
	log := open(t, &r)
	log.Logger.Debug("no")
	log.SetLevel(slog.LevelDebug)
	log.Logger.Debug("yes")
	log.SetLevel(slog.LevelError)
	log.Logger.With("a", "b").Warn("no")
	log.Close(grace)
	if lines := r.lines(t); len(lines) != 1 || lines[0].Message != "yes" {
		t.Errorf("%+v", lines)
	}
	if _, err := logging.Open(&r, "loud"); err == nil || !strings.Contains(err.Error(), "log.level") {
		t.Errorf("an unknown level: %v", err)
	}
}
