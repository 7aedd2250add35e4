// Package logging writes the log of the issuer, so that whoever reads the log cannot hold up
// the program.
//
// [Open] returns a [Log], whose Logger only puts lines into a buffer. One goroutine writes them.
// When the reader of the log stops reading, or goes away, lines are dropped and counted, and a
// line says how many as soon as it reads again.
package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// Log is an open log. It is safe for concurrent use.
type Log struct {
	// Logger writes to the log. It never blocks.
	Logger *slog.Logger

	level *slog.LevelVar
	out   *writer
}

// Open returns a log that writes text to a terminal, and one JSON object a line to everything
// else. Both forms quote control characters, so that text from a client cannot forge a line.
// The level is debug, info, warn or error. [Log.Close] ends the goroutine of the log.
func Open(w io.Writer, level string) (*Log, error) {
	l := &Log{level: new(slog.LevelVar), out: newWriter(w)}
	if err := l.level.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	handler := newHandler(w)
	l.Logger = slog.New(handler(l.out, l.level))
	l.out.notice = func(dropped int64) []byte {
		var line bytes.Buffer
		slog.New(handler(&line, slog.LevelWarn)).WarnContext(context.Background(),
			"lines of the log were dropped, because its reader did not read", "lines", dropped)
		return line.Bytes()
	}
	go l.out.run()
	return l, nil
}

// newHandler returns what makes the handler for the kind of file that w is.
func newHandler(w io.Writer) func(io.Writer, slog.Leveler) slog.Handler {
	if f, ok := w.(*os.File); ok && IsTerminal(f) {
		return func(w io.Writer, level slog.Leveler) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
		}
	}
	return func(w io.Writer, level slog.Leveler) slog.Handler {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
}

// IsTerminal reports whether a file is a terminal, or another character device but the null
// device.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// SetLevel changes which lines are written from now on.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// Dropped is how many lines were not written since the log was opened.
func (l *Log) Dropped() int64 { return l.out.dropped.Load() }

// Close writes the lines that are in the buffer, but takes no longer than grace. What is logged
// afterwards is lost.
func (l *Log) Close(grace time.Duration) { l.out.close(grace) }
