//go:build linux

package crashtest_test

import (
	"bufio"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
)

// maxWrite is the longest write that a trace holds in full.
const maxWrite = 1 << 22

// call is a system call that has begun.
type call struct {
	name    string
	args    string
	covered int // for a sync: how many changes had been made before it began
}

// replay applies what a trace records of this disk's file.
func (d *disk) replay(t *testing.T, trace string) {
	t.Helper()
	file, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	begun := map[string]call{} // by thread
	lines := bufio.NewReaderSize(file, 1<<20)
	synced := 0
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the end; an incomplete line belongs to a call that did not end
		}
		thread, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		c, result, done := begin(strings.TrimSpace(text))
		if strings.HasPrefix(text, "<... ") {
			c = begun[thread]
			delete(begun, thread)
		} else if !d.concerns(c) {
			continue
		} else {
			c.covered = synced + len(d.pending)
			if ch, ok := c.change(t); ok { // it may reach the disk as soon as it has begun
				d.pending = append(d.pending, ch)
			}
		}
		switch {
		case !done:
			begun[thread] = c
		case result != "0" && strings.HasSuffix(c.name, "sync"):
			t.Fatalf("a sync failed: %s", line)
		case strings.HasSuffix(c.name, "sync") && c.covered > synced:
			d.sync(c.covered - synced)
			synced = c.covered
		}
	}
	if synced == 0 {
		t.Fatal("the trace shows no sync of the data file")
	}
}

// concerns reports whether a call is to this disk's file, which has another name while it is
// created.
func (d *disk) concerns(c call) bool {
	return strings.Contains(c.args, "<"+hexed(d.path)+">") || strings.Contains(c.args, "<"+hexed(d.path+".new")+">")
}

// begin reads a line: the beginning of a call, its end, or both.
func begin(text string) (c call, result string, done bool) {
	text, unfinished := strings.CutSuffix(text, " <unfinished ...>")
	if !unfinished { // strace detached, or the process ended, within the call
		text, unfinished = strings.CutSuffix(text, " <detached ...>")
	}
	if i := strings.LastIndex(text, " = "); !unfinished && i >= 0 {
		result, _, _ = strings.Cut(text[i+3:], " ") // an error or (DELAYED) may follow
		text, done = strings.TrimSuffix(strings.TrimSpace(text[:i]), ")"), true
	}
	c.name, c.args, _ = strings.Cut(text, "(")
	return c, result, done && result != "?"
}

// change is what a write or a truncation changes.
func (c call) change(t *testing.T) (change, bool) {
	t.Helper()
	parts := strings.Split(c.args, ", ")
	at, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
	switch {
	case c.name != "pwrite64" && c.name != "ftruncate":
		return change{}, false
	case err != nil:
		t.Fatalf("a trace that this test does not understand: %v", err)
	case c.name == "ftruncate":
		return change{at: at}, true
	}
	data, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(parts[1], `"`), `\x`, ""))
	if err != nil || strconv.Itoa(len(data)) != parts[2] {
		t.Fatalf("a write of %s bytes of which the trace holds %d: %v", parts[2], len(data), err)
	}
	return change{at: at, data: data}, true
}

// hexed is a path as strace -xx writes it.
func hexed(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
	}
	return b.String()
}
