package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/store/bolt"
)

const (
	failingDiskEnv = "ISSUER_TEST_FAILING_DISK"
	victims        = 24 // sessions of the helper process
	promises       = 60 // what it acknowledges before it dies
	headersEnd     = 2 * 4096
)

// failingDisk is a helper process: it advances sessions on a disk whose syncs fail now and
// then, says of each step that it was acknowledged, and dies.
func failingDisk(path string) error {
	ctx := context.Background()
	db, err := bolt.Open(ctx, bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)}.Small())
	if err != nil {
		return err
	}
	var (
		left  atomic.Int64
		wg    sync.WaitGroup
		wrong atomic.Pointer[error]
	)
	left.Store(promises)
	for worker := range 3 {
		wg.Go(func() {
			for n := worker + 1; left.Load() > 0; n = (n+2)%victims + 1 {
				if err := promise(ctx, db, n); err == nil {
					left.Add(-1)
				} else if !errors.Is(err, session.ErrUnavailable) {
					wrong.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := wrong.Load(); err != nil {
		return *err
	}
	os.Exit(0) // without Close
	return nil
}

// promise advances a session and says so, or waits until the store is back.
func promise(ctx context.Context, db *bolt.DB, n int) error {
	snap, err := change(ctx, db, n, func(snap session.Snapshot) session.Change {
		snap.State.Generation++
		return session.Change{State: &snap.State}
	})
	if err != nil {
		for tick := time.NewTicker(time.Millisecond); db.Healthy() != nil; {
			<-tick.C
		}
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%d %d\n", n, snap.State.Generation)
	return err
}

// A sync fails, the store recovers, and then the power goes. What the failed sync did not
// write the system never writes again, though everyone still sees it: the worst that a
// disk can do. Whenever the power goes, what was acknowledged by then is there after it.
func TestPowerCutAfterFailedSyncStrace(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	db := start(t, bolt.Config{Path: path}.Small())
	for n := 1; n <= victims; n++ {
		mustCreate(t, db, n, "u")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, seed))
	p := &platter{surface: whole, kept: map[int]uint32{}, chance: chance}
	// Which calls of which thread fail is up to the scheduler: once more if it was not both.
	for p.failedHeaders == 0 || p.failed == p.failedHeaders {
		since := 1000 // events since a sync failed
		for _, e := range traced(t, path, "fdatasync,fsync:error=EIO:when=7+13") {
			if since++; p.happens(e) {
				since = 0
			}
			if since < 15 || chance.IntN(40) == 0 {
				p.cut(t)
			}
		}
		p.surface, p.pending = p.likely(p.surface, false), nil // in its own time
	}
	t.Logf("%d cuts; syncs failed %d times, %d of them those of a header", p.cuts, p.failed, p.failedHeaders)
	if len(p.kept) < victims/2 || p.cuts == 0 {
		t.Errorf("only %d sessions and %d cuts", len(p.kept), p.cuts)
	}
}

// platter is what is on the disk.
type platter struct {
	surface []byte         // for sure
	pending []event        // writes since the last sync
	kept    map[int]uint32 // the generations that were acknowledged
	chance  *rand.Rand

	cuts, failed, failedHeaders int
}

// happens takes in what has happened, and reports whether it was a sync that failed.
func (p *platter) happens(e event) (failed bool) {
	switch e.call {
	case "write":
		var n, g int
		_, _ = fmt.Sscan(string(e.data), &n, &g) // the helper wrote it
		p.kept[n] = max(p.kept[n], uint32(g))
	case "pwrite64":
		p.pending = append(p.pending, e)
	case "fsync", "fdatasync":
		if e.failed {
			p.failed++
			if len(p.pending) > 0 && p.pending[len(p.pending)-1].at < headersEnd {
				p.failedHeaders++
			}
		}
		p.surface, p.pending = p.likely(p.surface, e.failed), nil
	}
	return e.failed
}

// likely returns the surface with what has been written: all of it or, if by chance, some.
func (p *platter) likely(surface []byte, byChance bool) []byte {
	reached := p.chance.Float64()
	for _, w := range p.pending {
		if !byChance || p.chance.Float64() < reached {
			surface = w.onto(surface)
		}
	}
	return surface
}

// cut opens what is there after the power went now.
func (p *platter) cut(t *testing.T) {
	t.Helper()
	p.cuts++
	surface := p.likely(bytes.Clone(p.surface), true)
	path := filepath.Join(t.TempDir(), "issuer.db")
	if err := os.WriteFile(path, surface, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Check: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("cut %d: %v", p.cuts, err)
	}
	for n, want := range maps.All(p.kept) {
		if got, err := generation(t.Context(), db, n); err != nil || got < want {
			t.Errorf("cut %d: session %d is at %d (%v), and %d was acknowledged", p.cuts, n, got, err, want)
		}
	}
	if err := errors.Join(db.Close(), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
}

// event is a system call that has ended.
type event struct {
	call   string
	data   []byte
	at     int64
	failed bool
}

func (e event) onto(surface []byte) []byte {
	if grow := int(e.at) + len(e.data) - len(surface); grow > 0 {
		surface = append(surface, make([]byte, grow)...)
	}
	copy(surface[e.at:], e.data)
	return surface
}

// traced runs the helper and returns what it did to its file and what it has said.
func traced(t *testing.T, path, inject string) (events []event) {
	t.Helper()
	for line := range straced(t, failingDiskEnv+"="+path, "trace=pwrite64,fsync,fdatasync,fadvise64,write", "inject="+inject) {
		if e, ok := parse(t, line); ok {
			events = append(events, e)
		}
	}
	return events
}

// straced runs a helper under strace with these expressions and yields its system calls, in
// the order in which they ended.
func straced(t *testing.T, env string, expressions ...string) iter.Seq[string] {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	args := []string{"-f", "--seccomp-bpf", "-qq", "-xx", "-s", strconv.Itoa(1 << 22), "-o", trace, "-e", "signal=none"}
	for _, e := range expressions {
		args = append(args, "-e", e)
	}
	cmd := exec.CommandContext(t.Context(), "strace", append(args, self)...)
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-2000):])
	}
	return func(yield func(string) bool) {
		f, err := os.Open(trace)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		begun := map[string]string{} // by thread
		for lines := bufio.NewReaderSize(f, 1<<20); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			thread, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			text = strings.TrimSpace(text)
			if head, unfinished := strings.CutSuffix(text, "<unfinished ...>"); unfinished {
				begun[thread] = head
				continue
			}
			if _, tail, resumed := strings.Cut(text, " resumed>"); resumed && strings.HasPrefix(text, "<... ") {
				text = begun[thread] + tail
			}
			if !yield(text) {
				return
			}
		}
	}
}

// parse reads a line such as pwrite64(7, "\x00", 1, 4096) = 1.
func parse(t *testing.T, text string) (e event, ok bool) {
	t.Helper()
	end := max(strings.LastIndex(text, " = "), 0)
	result := strings.TrimPrefix(text[end:], " = ")
	call, args, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(text[:end]), ")"), "(")
	fields := strings.Split(args, ", ")
	e = event{call: call, failed: strings.HasPrefix(result, "-1")}
	switch {
	case strings.HasSuffix(call, "sync"), strings.HasPrefix(call, "fadvise"):
		return e, true
	case e.failed || len(fields) < 3 || call == "write" && fields[0] != "1":
		return e, false
	}
	data, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(fields[1], `"`), `\x`, ""))
	if err != nil {
		t.Fatalf("%.100s: %v", text, err)
	}
	e.data = data
	if call == "pwrite64" {
		if e.at, err = strconv.ParseInt(strings.TrimSpace(fields[3]), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return e, true
}
