package bench_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
)

// fleet is a number of guards, each with connections of its own.
type fleet struct {
	guards []*guard.Guard
	// address is the current address of the issuer.
	address atomic.Pointer[string]
}

func newFleet(t testing.TB, p *process, size int) *fleet {
	t.Helper()
	f := &fleet{guards: make([]*guard.Guard, size)}
	f.address.Store(&p.address)
	var (
		ready sync.WaitGroup
		slots = make(chan struct{}, 32)
	)
	for i := range f.guards {
		ready.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			g, err := guard.New(context.Background(), guard.Config{
				Issuer: "http://localhost:8080", Audience: []string{"http://localhost:8080"},
				ServiceKey: feedKey, Name: fmt.Sprint("guard-", i), CacheEntries: -1,
				HTTPClient: &http.Client{Transport: &http.Transport{DialContext: f.dial}},
				Logger:     slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Error(err)
				return
			}
			f.guards[i] = g
		})
	}
	ready.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		for _, g := range f.guards {
			_ = g.Close()
		}
	})
	return f
}

func (f *fleet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", *f.address.Load())
}

// await waits until a condition is true for every guard.
func (f *fleet) await(t testing.TB, within time.Duration, so func(guard.Stats) bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for _, g := range f.guards {
		for !so(g.Stats()) {
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("not within %s: %+v", within, g.Stats())
			}
		}
	}
}

// pacedRefreshes sends a number of refreshes a second until stop is closed, and returns how
// many it sent. A failed refresh fails the benchmark.
func pacedRefreshes(t testing.TB, address string, tokens [][]byte, rate int, stop <-chan struct{}) (wait func() int) {
	t.Helper()
	const connections = 16
	var (
		done  atomic.Int64
		group sync.WaitGroup
	)
	share := len(tokens) / connections
	for i := range connections {
		c, mine := dial(t, address), tokens[i*share:(i+1)*share]
		group.Go(func() {
			defer c.Close()
			interval := time.Second * connections / time.Duration(rate)
			due := time.Now().Add(interval * time.Duration(i) / connections)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Until(due)): // at once when it is late
				}
				due = due.Add(interval)
				if err := c.refresh(mine[n%len(mine)]); err != nil {
					t.Errorf("refresh: %v", err)
					return
				}
				done.Add(1)
			}
		})
	}
	return func() int { group.Wait(); return int(done.Load()) }
}

// BenchmarkFeedGuards measures the time from the request for a revocation, so including the
// commit and its fsync, until each of 100 guards reports it as applied, during 2,000
// refreshes a second.
func BenchmarkFeedGuards(b *testing.B) {
	const guards, rate, revocations = 100, 2000, 200
	data := fill(b, 10_000)
	p := serveFeed(b, build(b), data)
	f := newFleet(b, p, guards)
	stop := make(chan struct{})
	began := time.Now()
	wait := pacedRefreshes(b, p.address, data.tokens[:5000], rate, stop)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	var delays []time.Duration
	for n := range revocations {
		<-pace.C
		user := (5000 + n) * 2654435761 % (1 << 32)
		if status := p.call(b, "POST", fmt.Sprintf("/v1/users/user-%08x/revoke-sessions", user), ""); status != http.StatusOK {
			b.Fatalf("revoke: %d", status)
		}
		f.await(b, 10*time.Second, func(s guard.Stats) bool { return s.Seq > uint64(n) })
		for _, g := range f.guards {
			delays = append(delays, g.Stats().Delay)
		}
	}
	close(stop)
	done := wait()
	slices.Sort(delays)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(done)/time.Since(began).Seconds(), "refreshes/s")
	b.ReportMetric(float64(delays[len(delays)/2].Milliseconds()), "median-ms")
	b.ReportMetric(float64(delays[len(delays)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(delays[len(delays)-1].Milliseconds()), "max-ms")
}

// BenchmarkFeedRestart kills an issuer that 1,000 guards follow, and measures how long they
// take to reconnect after it is ready again. Meanwhile users sign in and refresh, and none
// of these requests may fail.
func BenchmarkFeedRestart(b *testing.B) {
	const guards, rate, mints = 1000, 500, 100
	program, data := build(b), fill(b, 5000)
	p := serveFeed(b, program, data)
	f := newFleet(b, p, guards)
	f.await(b, time.Minute, func(s guard.Stats) bool { return s.Connected })
	_ = p.cmd.Process.Signal(os.Kill)
	_ = p.cmd.Wait() // it was killed
	f.await(b, time.Minute, func(s guard.Stats) bool { return !s.Connected })
	p = serveFeed(b, program, data)
	f.address.Store(&p.address)
	began, stop := time.Now(), make(chan struct{})
	wait := pacedRefreshes(b, p.address, data.tokens, rate, stop)
	minted := make(chan int)
	go func() { minted <- pacedMints(b, p, mints, stop) }()
	f.await(b, time.Minute, func(s guard.Stats) bool { return s.Connected })
	took := time.Since(began)
	close(stop)
	refreshed := wait()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took.Seconds(), "back-s")
	b.ReportMetric(float64(refreshed)/took.Seconds(), "refreshes/s")
	b.ReportMetric(float64(<-minted)/took.Seconds(), "mints/s")
}

// pacedMints creates sessions until stop is closed, and returns how many.
func pacedMints(t testing.TB, p *process, rate int, stop <-chan struct{}) (n int) {
	t.Helper()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return n
		case <-tick.C:
		}
		err := p.mint()
		if err != nil {
			t.Error(err)
			return n
		}
		n++
	}
}

var errMint = errors.New("a mint has failed")

func (p *process) mint() error {
	res, err := p.send(http.MethodPost, "/v1/sessions", `{"user":{"id":"u1"}}`)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%w: %s", errMint, res.Status)
	}
	return nil
}
