//go:build linux

package crashtest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fleet is all clients of one issuer.
type fleet struct {
	t      *testing.T
	window time.Duration // refresh.concurrency_window of the issuer that runs
	actors []*actor
	// cuts allows requests without an answer; failures allows answers of 503.
	cuts, failures bool
	// retries makes clients go on, at any issuer, after a request without an answer. Such a
	// request may still take effect later, until the next verify.
	retries bool
	apis    atomic.Pointer[[]*api] // the issuers
	halt    chan struct{}          // closed to stop the clients
	// acknowledged and refused count answers of 2xx and of 503.
	acknowledged, refused atomic.Int64
	faults                atomic.Int64
	slowest               atomic.Int64 // the longest time to an answer, in nanoseconds
	next                  uint64       // the newest revocation that the feed has shown
}

const (
	actors       = 12
	usersOfActor = 2
	// retry is how long a client waits after a 503. It is shorter than Retry-After says, so
	// that there is always a request in flight.
	retry = 50 * time.Millisecond
	// maxReported is how many faults a test reports.
	maxReported = 20
)

func newFleet(t *testing.T, seed uint64) *fleet {
	t.Helper()
	f := &fleet{t: t}
	for n := range actors {
		a := &actor{fleet: f, n: n, rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		for m := range usersOfActor {
			a.users = append(a.users, &user{id: fmt.Sprintf("user-%d-%d", n, m)})
		}
		f.actors = append(f.actors, a)
	}
	return f
}

// connect makes the clients call another run of the issuer.
func (f *fleet) connect(api *api, window time.Duration) { f.connectAll(window, api) }

// connectAll makes the clients call these issuers, which share a store.
func (f *fleet) connectAll(window time.Duration, apis ...*api) {
	f.window = window
	f.apis.Store(&apis)
}

// timed sends a request and records how long its answer took.
func (f *fleet) timed(send func(*api) reply, to *api) reply {
	begin := time.Now()
	r := send(to)
	took := int64(time.Since(begin))
	for slowest := f.slowest.Load(); took > slowest && !f.slowest.CompareAndSwap(slowest, took); {
		slowest = f.slowest.Load()
	}
	return r
}

// work lets all clients work until the issuer is gone.
func (f *fleet) work() {
	f.t.Helper()
	f.halt = nil
	f.load()
	f.check()
}

// load lets all clients work until they are halted, the issuer is gone, or one of them
// finds a fault.
func (f *fleet) load() {
	f.each(func(a *actor) {
		for a.working() {
			a.step()
		}
	})
}

// background lets the clients work until stop is called or the test fails. stop waits until
// they have finished.
func (f *fleet) background() (stop func()) {
	f.t.Helper()
	f.halt = make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.load()
	}()
	halt := sync.OnceFunc(func() {
		close(f.halt)
		<-done
	})
	f.t.Cleanup(halt)
	return func() {
		f.t.Helper()
		halt()
		f.check()
	}
}

// verify checks everything that is known. If it is thorough, it looks at all sessions that
// have ended, otherwise at some. It must be called at most once for each run of the issuer,
// which may answer with a list of revocations that is a second old.
func (f *fleet) verify(thorough bool) {
	f.t.Helper()
	f.each(func(a *actor) { a.verify(thorough) })
	f.verifyFeed()
	f.check()
}

// check ends the test if a client has found a fault.
func (f *fleet) check() {
	f.t.Helper()
	if f.faults.Load() > 0 {
		f.t.FailNow()
	}
}

func (f *fleet) each(do func(*actor)) {
	var all sync.WaitGroup
	for _, a := range f.actors {
		a.cut = false
		all.Go(func() { do(a) })
	}
	all.Wait()
}

// count counts an answer and checks that the test allows its kind.
func (f *fleet) count(r reply) {
	switch {
	case r.err != nil:
		if !f.cuts {
			f.fail("a request got no answer: %v", r.err)
		}
	case r.status == http.StatusServiceUnavailable:
		f.refused.Add(1)
		if !f.failures {
			f.fail("a request was answered %v, while nothing fails", r)
		}
		if r.Code != "unavailable" || r.header.Get("Retry-After") == "" {
			f.fail("a request was answered %v, Retry-After %q; want unavailable and a Retry-After", r, r.header.Get("Retry-After"))
		}
	case r.status < 300:
		f.acknowledged.Add(1)
	}
}

func (f *fleet) fail(format string, args ...any) {
	f.t.Helper()
	if f.faults.Add(1) <= maxReported {
		f.t.Errorf(format, args...)
	}
}
