package list_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

func frames(r io.Reader) ([]list.Frame, error) {
	reader := list.NewFrameReader(r)
	var all []list.Frame
	for {
		f, err := reader.Next()
		if err != nil {
			return all, err
		}
		all = append(all, f)
	}
}

func TestFrames(t *testing.T) {
	message := func(id, data string) list.Frame {
		return list.Frame{ID: id, Event: "message", Data: []byte(data)}
	}
	for name, c := range map[string]struct {
		stream string
		want   []list.Frame
	}{
		"one":              {"id: 7\nevent: revoked\ndata: x\n\n", []list.Frame{{ID: "7", Event: "revoked", Data: []byte("x")}}},
		"id stays":         {"id: 7\ndata: x\n\ndata: y\n\n", []list.Frame{message("7", "x"), message("7", "y")}},
		"event does not":   {"event: a\ndata: x\n\ndata: y\n\n", []list.Frame{{Event: "a", Data: []byte("x")}, message("", "y")}},
		"CR":               {"data: x\rdata: y\r\r", []list.Frame{message("", "x\ny")}},
		"CRLF":             {"data: x\r\ndata: y\r\n\r\n", []list.Frame{message("", "x\ny")}},
		"CRLF, then LF":    {"data: x\r\n\ndata: y\r\n\n", []list.Frame{message("", "x"), message("", "y")}},
		"CR, then LF":      {"data: x\n\r\ndata: y\n\r", []list.Frame{message("", "x"), message("", "y")}},
		"comments":         {": alive\n\n:\n\ndata: x\n: in between\n\n", []list.Frame{message("", "x")}},
		"byte order mark":  {"\ufeffdata: x\n\n", []list.Frame{message("", "x")}},
		"mark later":       {"data: x\n\ufeffdata: y\n\n", []list.Frame{message("", "x")}},
		"no space":         {"data:x\n\n", []list.Frame{message("", "x")}},
		"two spaces":       {"data:  x\n\n", []list.Frame{message("", " x")}},
		"no colon":         {"data\n\n", []list.Frame{message("", "")}},
		"unknown fields":   {"retry: 5\nfoo: bar\ndata: x\n\n", []list.Frame{message("", "x")}},
		"no data":          {"event: a\nid: 1\n\ndata: x\n\n", []list.Frame{message("1", "x")}},
		"NUL in id":        {"id: 1\nid: 2\x00\ndata: x\n\n", []list.Frame{message("1", "x")}},
		"cut in a line":    {"data: x\n\ndata: y", []list.Frame{message("", "x")}},
		"cut before blank": {"data: x\n\ndata: y\n", []list.Frame{message("", "x")}},
		"empty":            {"", nil},
	} {
		for way, r := range map[string]io.Reader{
			"at once":      strings.NewReader(c.stream),
			"byte by byte": iotest.OneByteReader(strings.NewReader(c.stream)),
		} {
			got, err := frames(r)
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(bytes.Equal)); diff != "" {
				t.Errorf("%s, %s: %s", name, way, diff)
			}
		}
	}
}

func TestFrameReaderIsBounded(t *testing.T) {
	const most = list.MaxFrameSize
	line := strings.Repeat("x", most/2)
	for name, stream := range map[string]io.Reader{
		"a line of 1 MiB":    strings.NewReader("data: " + strings.Repeat("x", 1<<20) + "\n\n"),
		"a comment of 1 MiB": strings.NewReader(":" + strings.Repeat("x", 1<<20) + "\n\n"),
		"a line without end": endless{},
		"many lines of data": strings.NewReader(strings.Repeat("data: "+line+"\n", 3) + "\n"),
	} {
		if _, err := frames(stream); !errors.Is(err, list.ErrFrameSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The limits are inclusive: MaxFrameSize bytes of a line, and as many of data.
func TestFrameSizeLimits(t *testing.T) {
	const most = list.MaxFrameSize
	line := func(n int) string { return "data: " + strings.Repeat("x", n-len("data: ")) + "\n" }
	half := line(most/2 + len("data: "))
	for name, c := range map[string]struct {
		frame string
		want  error
	}{
		"the longest line":   {line(most), io.EOF},
		"one byte more":      {line(most + 1), list.ErrFrameSize},
		"the most data":      {half + line(most/2-1+len("data: ")), io.EOF}, // and a line break between
		"one byte more data": {half + line(most/2+len("data: ")), list.ErrFrameSize},
	} {
		if got, err := frames(strings.NewReader(c.frame + "\n")); !errors.Is(err, c.want) || (len(got) == 1) != errors.Is(c.want, io.EOF) {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A body that is cut off ends like any other stream.
func TestFrameReaderTakesACutBodyForAnEnd(t *testing.T) {
	r := io.MultiReader(strings.NewReader("data: x\n\ndata: y"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if got, err := frames(r); !errors.Is(err, io.EOF) || len(got) != 1 {
		t.Errorf("%d frames, %v", len(got), err)
	}
}

func TestFrameReaderReturnsTheStreamsError(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("data: x\n\n"), iotest.ErrReader(broken))
	if got, err := frames(r); !errors.Is(err, broken) || len(got) != 1 {
		t.Errorf("%d frames, %v", len(got), err)
	}
}

// What [revocation.AppendFrame] and [revocation.AppendComment] write is read as it was meant.
func TestWrittenFrames(t *testing.T) {
	stream := revocation.AppendFrame(nil, 42, revocation.FrameRevoked, "a.b.c")
	stream = revocation.AppendComment(stream, "alive")
	stream = revocation.AppendFrame(stream, 0, revocation.FrameGone, "{}")
	got, err := frames(bytes.NewReader(stream))
	want := []list.Frame{
		{ID: "42", Event: revocation.FrameRevoked, Data: []byte("a.b.c")},
		{ID: "42", Event: revocation.FrameGone, Data: []byte("{}")},
	}
	if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, io.EOF) {
		t.Error(err, diff)
	}
}

// The frames do not depend on how the stream is cut into reads, and a frame that was read
// and written again is read as the same.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("id: 7\nevent: revoked\ndata: x\n\n: alive\r\n\r\ndata\r\rdata: y"))
	f.Add([]byte("\ufeffid:\x00\ndata:\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, err := frames(bytes.NewReader(stream))
		parts, errParts := frames(iotest.HalfReader(bytes.NewReader(stream)))
		if diff := cmp.Diff(whole, parts, cmp.Comparer(bytes.Equal)); diff != "" || errors.Is(err, io.EOF) != errors.Is(errParts, io.EOF) {
			t.Fatal(err, errParts, diff)
		}
		for _, frame := range whole {
			if len(frame.Data) > list.MaxFrameSize || bytes.ContainsAny(frame.Data, "\r\n") {
				continue
			}
			again, err := frames(bytes.NewReader(revocation.AppendFrame(nil, 1, frame.Event, string(frame.Data))))
			if len(frame.Data) < list.MaxFrameSize-10 && (len(again) != 1 || !bytes.Equal(again[0].Data, frame.Data)) {
				t.Fatal(err, again)
			}
		}
	})
}
