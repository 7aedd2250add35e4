//go:build linux

package crashtest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/rounds"
)

// maxMoments is how many requests and answers there are at most before a kill.
const maxMoments = 500

// onNthCall returns a function that calls do when it is called for the n-th time.
func onNthCall(n int, do func()) func() {
	var left atomic.Int64
	left.Store(int64(n))
	return func() {
		if left.Add(-1) == 0 {
			do()
		}
	}
}

// The program is killed at random moments under load, and started on the same file again.
// Everything that it has acknowledged is there: sessions, refreshes and ends.
func TestKill(t *testing.T) {
	t.Parallel()
	seed := seeded(t)
	kills := setting(t, "CRASHTEST_KILLS", uint64(rounds.Rounds(t, 10, 50)))
	choices := rand.New(rand.NewPCG(seed, seed))
	s, f := newSite(t), newFleet(t, seed)
	for n := range kills {
		if n%5 == 4 {
			s.killOpening()
		}
		window := []time.Duration{time.Minute, time.Minute, 0}[choices.IntN(3)]
		s.start(window)
		f.connect(s.api, window)
		f.cuts = false
		f.verify(false)

		f.cuts = true
		s.api.onMoment = onNthCall(1+choices.IntN(maxMoments), func() { _ = s.p.Signal(os.Kill) })
		f.work()
		s.killed()
	}
	s.start(time.Minute)
	f.connect(s.api, time.Minute)
	f.cuts = false
	f.verify(true)
	s.stop()
	t.Logf("%d acknowledged requests", f.acknowledged.Load())
}

// killOpening kills a program while it opens the file that a killed one has left.
func (s *site) killOpening() {
	s.t.Helper()
	s.launch(s.command(time.Minute))
	for deadline := time.Now().Add(testTimeout); !s.opened(); {
		if time.Now().After(deadline) {
			s.t.Fatal("the program does not open its file")
		}
	}
	s.kill()
}

// opened reports whether the program has its data file open.
func (s *site) opened() bool {
	folder := fmt.Sprintf("/proc/%d/fd", s.p.PID())
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(folder, e.Name())); err == nil && to == s.data() {
			return true
		}
	}
	return false
}
