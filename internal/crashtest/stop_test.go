//go:build linux

package crashtest_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/rounds"
)

// soon is how long a stop under load and a start may each take on a busy machine. A stop
// that waits for its grace, or a start that waits for a lock, takes longer.
const soon = 5 * time.Second

// SIGTERM under load: accepted requests are answered, others are refused, and the next start
// is quick and finds everything.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	seed := seeded(t)
	choices := rand.New(rand.NewPCG(seed, seed))
	s, f := newSite(t), newFleet(t, seed)
	for range rounds.Rounds(t, 2, 5) {
		if took := s.start(time.Minute); took > soon {
			t.Errorf("it serves %v after its start", took)
		}
		f.connect(s.api, time.Minute)
		f.cuts = false
		f.verify(false)

		f.cuts = true
		var asked time.Time
		s.api.onMoment = onNthCall(1+choices.IntN(maxMoments), func() {
			asked = time.Now()
			_ = s.p.Signal(syscall.SIGTERM)
		})
		f.work()
		s.stopped()
		if took := time.Since(asked); took > soon {
			t.Errorf("it ended %v after SIGTERM", took)
		}
	}
	s.start(time.Minute)
	f.connect(s.api, time.Minute)
	f.cuts = false
	f.verify(true)
	s.stop()
}
