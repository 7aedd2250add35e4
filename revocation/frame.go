package revocation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// MaxFrameSize is the size in bytes of the largest line, and of the largest data of one
// frame, that a [FrameReader] takes.
const MaxFrameSize = 64 << 10

// The names of the stream's events.
const (
	// FrameRevoked has a signed [Event] as data, and its number as id.
	FrameRevoked = "revoked"
	// FrameAlive has a signed [Alive] as data.
	FrameAlive = "alive"
	// FrameGone means that the resume point is purged or was never reached: the reader
	// takes the snapshot. Its data is an empty JSON object.
	FrameGone = "gone"
)

// AppendFrame appends a frame of Server-Sent Events (WHATWG HTML §9.2.6) to dst. An id of
// 0 leaves the reader's last id as it is. The event and the data are on one line each.
func AppendFrame(dst []byte, id uint64, event, data string) []byte {
	if id != 0 {
		dst = strconv.AppendUint(append(dst, "id: "...), id, 10)
		dst = append(dst, '\n')
	}
	dst = append(append(dst, "event: "...), event...)
	dst = append(append(dst, "\ndata: "...), data...)
	return append(dst, "\n\n"...)
}

// AppendComment appends a comment, which no reader sees; it keeps proxies from taking the
// connection for dead.
func AppendComment(dst []byte, text string) []byte {
	return append(append(append(dst, ": "...), text...), "\n\n"...)
}

// Frame is one event of a stream.
type Frame struct {
	// ID is the last id that the stream has given, in this frame or before it.
	ID string
	// Event is the event's name, "message" when it has none.
	Event string
	// Data is the event's data. It is the caller's.
	Data []byte
}

// FrameReader reads Server-Sent Events from a stream. It holds at most one frame of
// [MaxFrameSize] and its buffer, whatever it is sent.
type FrameReader struct {
	lines  *bufio.Reader
	begun  bool // the byte order mark is behind us
	skipLF bool // the last line ended with CR
	id     string
}

// NewFrameReader returns a reader of r.
func NewFrameReader(r io.Reader) *FrameReader {
	return &FrameReader{lines: bufio.NewReaderSize(r, 4<<10)}
}

// Next returns the next frame that has data. It returns [io.EOF] at the end of the
// stream, also in the middle of a frame, which is then lost; [ErrFrameSize]; or the error
// of the stream.
func (f *FrameReader) Next() (Frame, error) {
	var (
		frame   = Frame{Event: "message"}
		hasData bool
	)
	for {
		line, err := f.line()
		if err != nil {
			return Frame{}, err
		}
		if len(line) == 0 {
			if hasData {
				frame.ID = f.id
				return frame, nil
			}
			frame = Frame{Event: "message"}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(name) {
		case "event":
			frame.Event = string(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				f.id = string(value)
			}
		case "data":
			if hasData {
				frame.Data = append(frame.Data, '\n')
			}
			if len(frame.Data)+len(value) > MaxFrameSize {
				return Frame{}, fmt.Errorf("%w: more than %d bytes of data", ErrFrameSize, MaxFrameSize)
			}
			frame.Data, hasData = append(frame.Data, value...), true
		}
	}
}

// line returns the next line without its end: LF, CR, or both.
func (f *FrameReader) line() ([]byte, error) {
	var line []byte
	for {
		c, err := f.lines.ReadByte()
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // a cut body is an end like any other
			}
			return nil, err
		}
		lf := c == '\n'
		if f.skipLF && lf {
			f.skipLF = false
			continue
		}
		f.skipLF = c == '\r'
		if lf || f.skipLF {
			return f.unmark(line), nil
		}
		if len(line) >= MaxFrameSize {
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrFrameSize, MaxFrameSize)
		}
		line = append(line, c)
	}
}

// unmark takes a byte order mark off the first line.
func (f *FrameReader) unmark(line []byte) []byte {
	if !f.begun {
		f.begun = true
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line
}
