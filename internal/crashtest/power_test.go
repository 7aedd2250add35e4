//go:build linux

package crashtest_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/rounds"
)

// A power cut under load: the program is gone, and the disk has some of the sectors that it
// wrote since its last sync, and not others. A kill cannot show that a sync is missing,
// because the operating system still has every write; this can.
func TestPowerCutStrace(t *testing.T) {
	t.Parallel()
	seed := seeded(t)
	choices := rand.New(rand.NewPCG(seed, seed))
	s, f := newSite(t), newFleet(t, seed)
	var lost int
	for i := range rounds.Rounds(t, 2, 6) {
		moments := maxMoments
		if i == 0 {
			moments = 3 // the file has just been made
		}
		disk := newDisk(t, s.data())
		pid, trace := s.startRecorded(time.Minute)
		f.connect(s.api, time.Minute)
		f.cuts = false
		f.verify(false)

		f.cuts = true
		s.api.onMoment = onNthCall(1+choices.IntN(moments), func() { killSyncing(pid) })
		f.work()
		s.wait()
		disk.replay(t, trace)
		lost += len(disk.pending)
		disk.cut(t, choices)
	}
	s.start(time.Minute)
	f.connect(s.api, time.Minute)
	f.cuts = false
	f.verify(true)
	s.stop()
	t.Logf("%d acknowledged requests; %d writes were left to chance", f.acknowledged.Load(), lost)
}

// killSyncing kills a program whose syncs are delayed while it waits for one, or after a
// second if it does not.
func killSyncing(pid int) {
	for deadline := time.Now().Add(time.Second); !stopped(pid) && time.Now().Before(deadline); {
		continue
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// stopped reports whether a thread of a process is stopped by its tracer.
func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, path := range threads {
		text, _ := os.ReadFile(path) // the thread may be gone
		if _, state, ok := strings.Cut(string(text), ") "); ok && state[0] == 't' {
			return true
		}
	}
	return false
}

// startRecorded starts the issuer under an strace that records its changes of files. It
// returns the program's process id and the path of the record.
func (s *site) startRecorded(window time.Duration) (pid int, trace string) {
	s.t.Helper()
	trace = filepath.Join(s.t.TempDir(), "trace")
	cmd := s.command(window, checking)
	recorder := exec.CommandContext(s.t.Context(), "strace", append([]string{
		"-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", strconv.Itoa(maxWrite), "-o", trace,
		"-e", "trace=pwrite64,ftruncate,fsync,fdatasync", "-e", "signal=none",
		"-e", "inject=fdatasync:delay_enter=10ms", // a slow disk, so that the power cut meets a sync
		"sh", "-c", `echo $$; exec "$@"`, "sh",
	}, cmd.Args...)...)
	recorder.Dir, recorder.Env = cmd.Dir, cmd.Env
	stdout, err := recorder.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.launch(recorder)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // it may be gone already
	s.serving()
	return pid, trace
}

// disk is the content of a file on the disk.
type disk struct {
	path    string
	content []byte   // what is certainly there
	pending []change // what may have reached the disk since the last sync
}

// change is a write, or a truncation if there is no data.
type change struct {
	at   int64
	data []byte
}

func newDisk(t *testing.T, path string) *disk {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return &disk{path: path, content: content}
}

// sector is what a disk writes as a whole.
const sector = 512

// cut writes the file as a power cut leaves it: with a random part of the sectors of each
// change since the last sync.
func (d *disk) cut(t *testing.T, choices *rand.Rand) {
	t.Helper()
	for _, c := range d.pending {
		chance := choices.Float64() // from nothing of it to all
		if c.data == nil {
			if choices.Float64() < chance {
				d.apply(c)
			}
			continue
		}
		for at := 0; at < len(c.data); at += sector {
			if choices.Float64() < chance {
				d.apply(change{at: c.at + int64(at), data: c.data[at:min(at+sector, len(c.data))]})
			}
		}
	}
	if err := os.WriteFile(d.path, d.content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d *disk) apply(c change) {
	size := c.at + int64(len(c.data))
	if grow := size - int64(len(d.content)); grow > 0 {
		d.content = append(d.content, make([]byte, grow)...)
	}
	if c.data == nil {
		d.content = d.content[:size]
	}
	copy(d.content[c.at:], c.data)
}

// sync records that the first n pending changes are on the disk.
func (d *disk) sync(n int) {
	for _, c := range d.pending[:n] {
		d.apply(c)
	}
	d.pending = d.pending[n:]
}
