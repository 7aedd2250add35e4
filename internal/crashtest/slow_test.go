//go:build linux

package crashtest_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// slowSync makes each sync take longer than a request may.
	slowSync = "fdatasync,fsync:delay_enter=12s"
	// answerWithin is how long an answer may take on a busy machine.
	answerWithin = 15 * time.Second
	// stopWithin is how long the program may take to end after SIGTERM on a busy machine.
	stopWithin = 12 * time.Second
)

// Each sync of the disk takes 12 seconds. Requests that wait for one are answered 503 in
// time, clients that give up leave no connection open, /readyz answers 503, and SIGTERM ends
// the program in time. What was acknowledged is there afterwards.
func TestDiskSlowStrace(t *testing.T) {
	t.Parallel()
	s := newSite(t).startTraced(time.Minute)
	v := newProbe(t, s.api)
	files := s.openFiles()
	s.inject(slowSync)
	var writes sync.WaitGroup
	writes.Go(func() {
		r := s.api.mint("late")
		for r.status == http.StatusCreated { // until the injection takes effect
			r = s.api.mint("late")
		}
		v.wantUnavailable("the first write that waits", r)
	})
	eventually(t, "/readyz says so", s.api.unready)
	v.refusedInTime()
	writes.Wait()

	s.impatient(200, v.kept.Access)
	eventually(t, "the connections of those who gave up are closed", func() bool { return s.openFiles() <= files+50 })

	asked := time.Now()
	if err := syscall.Kill(s.pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wait()
	if took := time.Since(asked); took > stopWithin {
		t.Errorf("it ended %v after SIGTERM", took)
	}
	s.start(time.Minute)
	v.api = s.api
	v.retried()
	s.stop()
}

// refusedInTime sends one write of each kind. None of them can be durable in time.
func (v *probe) refusedInTime() {
	v.t.Helper()
	var all sync.WaitGroup
	for what, send := range map[string]func() reply{
		"mint":        func() reply { return v.api.mint("later") },
		"refresh":     func() reply { return v.api.refresh(v.kept.Refresh) },
		"revoke":      func() reply { return v.api.revoke(v.ended.Session.ID) },
		"revoke user": func() reply { return v.api.revokeUser("mass") },
		"sign-out":    func() reply { return v.api.signOut(v.ended.Refresh) },
	} {
		all.Go(func() {
			began := time.Now()
			v.wantUnavailable(what, send())
			if took := time.Since(began); took > answerWithin {
				v.t.Errorf("%s was answered after %v", what, took)
			}
		})
	}
	all.Wait()
}

// wantUnavailable fails unless an answer is that the store is unavailable.
func (v *probe) wantUnavailable(what string, r reply) {
	v.t.Helper()
	if r.err != nil || r.status != http.StatusServiceUnavailable || r.Code != "unavailable" || r.header.Get("Retry-After") == "" {
		v.t.Errorf("%s was answered %v, Retry-After %q; want 503 unavailable", what, r, r.header.Get("Retry-After"))
	}
}

// impatient reads a session with many clients that give up after a second. An answer that
// arrives before is correct.
func (s *traced) impatient(clients int, access string) {
	s.t.Helper()
	impatient := newAPI(s.api.public, s.api.admin, s.api.key)
	impatient.http.Timeout = time.Second
	defer impatient.close()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			if r := impatient.current(access); !r.inconclusive() && r.status != http.StatusOK {
				s.t.Errorf("a read was answered %v", r)
			}
		})
	}
	all.Wait()
}

// openFiles is how many files, connections among them, the program has open.
func (s *traced) openFiles() int {
	s.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return len(entries)
}
