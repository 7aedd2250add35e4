package list

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxFrameSize is the size in bytes of the largest line, and of the largest data of one
// frame, that a [FrameReader] accepts.
const MaxFrameSize = 64 << 10

// ErrFrameSize means that a line or the data of a frame is larger than [MaxFrameSize].
var ErrFrameSize = errors.New("list: frame of the stream is too large")

// Frame is one event of a stream.
type Frame struct {
	// ID is the newest id that the stream has sent, in this frame or in an earlier one.
	ID string
	// Event is the event's name, "message" if the frame has none.
	Event string
	// Data is the event's data. The caller may keep it.
	Data []byte
}

// FrameReader reads Server-Sent Events (WHATWG HTML §9.2.6) from a stream. Its memory is
// bounded by one frame of [MaxFrameSize] and a small buffer.
type FrameReader struct {
	lines     *bufio.Reader
	firstRead bool   // a byte order mark may stand in the first line only
	skipLF    bool   // the last line ended with CR
	id        string // the newest id
}

// NewFrameReader returns a reader of r.
func NewFrameReader(r io.Reader) *FrameReader {
	return &FrameReader{lines: bufio.NewReaderSize(r, 4<<10)}
}

// Next returns the next frame that has data. It returns [io.EOF] at the end of the stream,
// and drops an incomplete frame there; [ErrFrameSize]; or the error of the stream.
func (f *FrameReader) Next() (Frame, error) {
	frame := Frame{Event: "message"}
	for {
		line, err := f.line()
		switch {
		case err != nil:
			return Frame{}, err
		case len(line) == 0 && frame.Data != nil:
			frame.ID = f.id
			return frame, nil
		case len(line) == 0:
			frame = Frame{Event: "message"}
		default:
			if err := f.field(&frame, line); err != nil {
				return Frame{}, err
			}
		}
	}
}

// field reads one line of a frame. Unknown fields and comments are ignored.
func (f *FrameReader) field(frame *Frame, line []byte) error {
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
		if frame.Data == nil {
			frame.Data = []byte{}
		} else {
			frame.Data = append(frame.Data, '\n')
		}
		if len(frame.Data)+len(value) > MaxFrameSize {
			return fmt.Errorf("%w: more than %d bytes of data", ErrFrameSize, MaxFrameSize)
		}
		frame.Data = append(frame.Data, value...)
	}
	return nil
}

// line returns the next line without its end, which is LF, CR or both.
func (f *FrameReader) line() ([]byte, error) {
	var line []byte
	for {
		c, err := f.lines.ReadByte()
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // a body that was cut off ends like any other
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
			return f.trimMark(line), nil
		}
		if len(line) >= MaxFrameSize {
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrFrameSize, MaxFrameSize)
		}
		line = append(line, c)
	}
}

// trimMark removes a byte order mark from the first line.
func (f *FrameReader) trimMark(line []byte) []byte {
	if !f.firstRead {
		f.firstRead = true
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line
}
