package main

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestTable(t *testing.T) {
	rows := newTable("ID", "NAME")
	rows.add("a", "")
	rows.add("longer", "x\ty\n\x1b[31m")
	var out strings.Builder
	if err := rows.print(&out); err != nil {
		t.Fatal(err)
	}
	const want = "ID      NAME\na       -\nlonger  x\\ty\\n\\x1b[31m\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"", "a\x00b", "\u202e", "\xff", `"quoted" \ back`, strings.Repeat("é", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		if len([]rune(got)) > 121 {
			t.Errorf("%d characters", len([]rune(got)))
		}
		for _, r := range got {
			if !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("printable(%q) holds %q", text, r)
			}
		}
	})
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	if got := formatTime(at); got != "2026-01-02 02:04:05Z" {
		t.Errorf("formatTime = %q", got)
	}
	if got := formatTime(time.Time{}); got != "" {
		t.Errorf("formatTime of no time = %q", got)
	}
}

func TestDialable(t *testing.T) {
	for listen, want := range map[string]string{
		":9090": "127.0.0.1:9090", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1",
		"[::1]:1": "[::1]:1", "10.0.0.1:1": "10.0.0.1:1", "localhost:1": "localhost:1",
	} {
		if got := dialable(listen); got != want {
			t.Errorf("dialable(%q) = %q, want %q", listen, got, want)
		}
	}
}
