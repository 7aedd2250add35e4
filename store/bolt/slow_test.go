package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// stalled is a store with session 1, whose commits can be held up.
func stalled(t *testing.T, cfg bolt.Config) (db *bolt.DB, stall func() (goOn func())) {
	t.Helper()
	var gate atomic.Pointer[chan struct{}]
	cfg.Path = newPath(t)
	db = start(t, cfg.Committed(func() {
		if c := gate.Load(); c != nil {
			<-*c
		}
	}))
	mustCreate(t, db, 1, "u")
	return db, func() func() {
		c := make(chan struct{})
		gate.Store(&c)
		goOn := sync.OnceFunc(func() {
			gate.Store(nil)
			close(c)
		})
		t.Cleanup(goOn)
		return goOn
	}
}

// While a commit is held up, whoever has a deadline is answered by then: that the store is
// unavailable, and why. When the disk answers again, what was written is there.
func TestDeadlinesWhileDiskIsSlow(t *testing.T) {
	db, stall := stalled(t, bolt.Config{})
	goOn := stall()
	hurry := func(fn func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		return fn(ctx)
	}
	err := hurry(func(ctx context.Context) error { return advance(ctx, db, 1) })
	if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the writer got %v, want %v with the reason", err, session.ErrUnavailable)
	}
	for name, read := range map[string]func(context.Context) error{
		"load":   func(ctx context.Context) error { _, err := generation(ctx, db, 1); return err },
		"list":   func(ctx context.Context) error { _, err := db.List(ctx, session.Query{Limit: 1}); return err },
		"facts":  func(ctx context.Context) error { _, _, err := db.Facts(ctx, 0, 1); return err },
		"keys":   func(ctx context.Context) error { _, err := db.LoadKeys(ctx); return err },
		"backup": func(ctx context.Context) error { return db.Backup(ctx, &bytes.Buffer{}) },
	} {
		if err := hurry(read); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s got %v, want %v with the reason", name, err, session.ErrUnavailable)
		}
	}
	// This one waits in the queue: it has not been run, and never will be.
	err = hurry(func(ctx context.Context) error { return advance(ctx, db, 1) })
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, session.ErrUnavailable) {
		t.Errorf("a writer in the queue got %v, want %v alone", err, context.DeadlineExceeded)
	}
	goOn()
	if g, err := generation(t.Context(), db, 1); g != 1 || err != nil {
		t.Errorf("session 1 is at %d (%v), want 1", g, err)
	}
}

// The store says that it is not healthy while an operation is under way for too long, be it
// a commit or a reader.
func TestHealthyJudgesAge(t *testing.T) {
	for name, operate := range map[string]func(t *testing.T, db *bolt.DB, goOn <-chan struct{}) error{
		"commit": func(t *testing.T, db *bolt.DB, _ <-chan struct{}) error { return advance(t.Context(), db, 1) },
		"reader": func(t *testing.T, db *bolt.DB, goOn <-chan struct{}) error {
			return db.Read(t.Context(), func(func(sid.ID) (session.Snapshot, error)) error {
				<-goOn
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				goOn, stall := make(chan struct{}), false
				db := start(t, bolt.Config{Path: newPath(t)}.Committed(func() {
					if stall {
						<-goOn
					}
				}))
				defer db.Close()
				mustCreate(t, db, 1, "u")
				stall = true
				done := make(chan error, 1)
				go func() { done <- operate(t, db, goOn) }()
				time.Sleep(bolt.MaxAge)
				if err := db.Healthy(); err != nil {
					t.Errorf("after %v: %v", bolt.MaxAge, err)
				}
				time.Sleep(time.Second)
				err := db.Healthy()
				if !errors.Is(err, session.ErrUnavailable) || !strings.Contains(err.Error(), "under way for 6s") {
					t.Errorf("a second later: %v", err)
				}
				close(goOn)
				if err := errors.Join(<-done, db.Healthy()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Close gives up after its grace, answers all who wait, and leaves nothing behind once the
// disk answers again.
func TestCloseGivesUp(t *testing.T) {
	before := runtime.NumGoroutine()
	db, stall := stalled(t, bolt.Config{CloseGrace: 50 * time.Millisecond})
	goOn := stall()
	background := context.WithoutCancel(t.Context())
	answers := make(chan error, 3)
	go func() { answers <- advance(background, db, 1) }()
	becomes(t, "a commit is under way", db.Committing)
	go func() { answers <- advance(background, db, 1) }()
	becomes(t, "a writer waits", func() bool { return db.Waiting() == 1 })
	go func() { _, err := generation(background, db, 1); answers <- err }()
	first := db.Close()
	if first == nil || !strings.Contains(first.Error(), db.Path()) || !strings.Contains(first.Error(), "50ms") {
		t.Errorf("Close is %v, want an error with the path and the grace", first)
	}
	if again := db.Close(); again != first { //nolint:errorlint // the very same
		t.Errorf("closing again is %v, want the same", again)
	}
	for range cap(answers) {
		refused(t, <-answers)
	}
	refused(t, db.Healthy())
	_, err := generation(background, db, 1)
	refused(t, err)
	if _, err := bolt.Open(t.Context(), bolt.Config{Path: db.Path()}); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("another Open is %v, want %v: the commit is still under way", err, bolt.ErrLocked)
	}
	goOn()
	becomes(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
	again := start(t, bolt.Config{Path: db.Path(), Check: true})
	if g, err := generation(t.Context(), again, 1); g != 1 || err != nil {
		t.Errorf("session 1 is at %d (%v), want 1: its commit had begun", g, err)
	}
}

const (
	slowDiskEnv = "ISSUER_TEST_SLOW_DISK"
	slowSync    = 2 * time.Second
	haste       = 100 * time.Millisecond
)

// The same on a real file, whose fsyncs are delayed.
func TestSlowDiskStrace(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "signal=none",
		"-e", fmt.Sprintf("inject=fdatasync:delay_enter=%d:when=1+", slowSync.Microseconds()), self)
	cmd.Env = append(os.Environ(), slowDiskEnv+"="+filled(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "held") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// slowDisk is a helper process: it reads and writes with deadlines far below the time that
// a sync takes.
func slowDisk(path string) error {
	ctx := context.Background()
	before := runtime.NumGoroutine()
	db, err := bolt.Open(ctx, bolt.Config{Path: path, CloseGrace: haste, Logger: quiet()})
	if err != nil {
		return err
	}
	if err := inTime("a writer", func(ctx context.Context) error { return advance(ctx, db, 1) }); err == nil {
		return errors.New("a writer did not wait for the disk")
	}
	waited := 0
	for until := time.Now().Add(2 * slowSync); time.Now().Before(until) && waited == 0; {
		for range 200 {
			err := inTime("a reader", func(ctx context.Context) error { _, err := generation(ctx, db, 1); return err })
			if errors.Is(err, session.ErrUnavailable) {
				waited++
				break
			}
			if err != nil {
				return err
			}
		}
	}
	if waited == 0 {
		return errors.New("no reader ever waited for the disk")
	}
	_ = inTime("a writer", func(ctx context.Context) error { return advance(ctx, db, 1) })
	if err := inTime("Close", func(context.Context) error { return db.Close() }); err == nil {
		return errors.New("Close did not give up")
	}
	for tick := time.NewTicker(10 * time.Millisecond); runtime.NumGoroutine() > before; {
		<-tick.C
	}
	return nil
}

// inTime runs fn with a deadline and says if it did not keep it.
func inTime(who string, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), haste)
	defer cancel()
	begin := time.Now()
	err := fn(ctx)
	if took := time.Since(begin); took > slowSync/2 {
		fmt.Fprintf(os.Stderr, "%s was answered after %v\n", who, took)
		os.Exit(1)
	}
	return err
}
