package bolt_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// waiting is how many callers wait for the store at any time.
const waiting = 64

// BenchmarkStore measures what grows with the number of sessions: the file, opening it,
// refreshes and sign-ins. Each size is built once, with what a browser's session holds.
func BenchmarkStore(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			f := buildFile(b, n)
			b.Run("Size", f.size)
			b.Run("Advance", f.advance)
			b.Run("Mint", f.mint)
			b.Run("Open/clean", func(b *testing.B) { f.open(b, (*bolt.DB).Close) })
			b.Run("Open/crashed", func(b *testing.B) { f.open(b, (*bolt.DB).Crash) })
		})
	}
}

// benchFile is a data file with many sessions.
type benchFile struct {
	path string
	ids  []sid.ID
	next *sid.Generator

	settled bool // its journals have been filled
}

func buildFile(b *testing.B, n int) *benchFile {
	f := &benchFile{path: filepath.Join(b.TempDir(), "issuer.db"), next: sid.NewGenerator(nil)}
	db, err := bolt.Open(b.Context(), bolt.Config{Path: f.path})
	if err != nil {
		b.Fatal(err)
	}
	for len(f.ids) < n {
		batch := make([]session.Session, 0, 5000)
		for range min(n-len(f.ids), cap(batch)) {
			s := signIn()
			s.ID = f.next.Next()
			batch, f.ids = append(batch, s), append(f.ids, s.ID)
		}
		if err := db.Insert(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return f
}

// signIn is what a sign-in in a browser adds. User ids are random, as UUIDs are.
func signIn() session.Session {
	const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	now := time.Now()
	var user [16]byte
	binary.NativeEndian.PutUint64(user[:], rand.Uint64())
	binary.NativeEndian.PutUint64(user[8:], rand.Uint64())
	return session.Session{
		ClientID: "web", UserAgent: agent[:110],
		User: session.User{
			ID:    fmt.Sprintf("%x-%x-%x-%x-%x", user[:4], user[4:6], user[6:8], user[8:10], user[10:]),
			Email: "someone.or.other@example.com", Name: "Someone or Other",
		},
		AMR: []string{"pwd"}, IP: netip.AddrFrom4([4]byte(user[:4])),
		CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(30 * 24 * time.Hour), IdleTimeout: 7 * 24 * time.Hour,
	}
}

// size reports what a session takes on disk. It is no measurement of time.
func (f *benchFile) size(b *testing.B) {
	info, err := os.Stat(f.path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(info.Size())/float64(len(f.ids)), "B/session")
}

// open measures opening a file that was closed like that.
func (f *benchFile) open(b *testing.B, closing func(*bolt.DB) error) {
	stop := func(db *bolt.DB) {
		if err := closing(db); err != nil {
			b.Fatal(err)
		}
	}
	stop(f.use(b, f.start(b, nil)))
	for b.Loop() {
		db := f.start(b, nil)
		b.StopTimer()
		stop(f.use(b, db))
		b.StartTimer()
	}
	if err := f.start(b, nil).Close(); err != nil {
		b.Fatal(err)
	}
}

// use commits something, so that the file is not as it was opened: the first commit takes
// the list of free pages off it.
func (f *benchFile) use(b *testing.B, db *bolt.DB) *bolt.DB {
	stored, err := db.LoadKeys(b.Context())
	if err == nil {
		err = db.SwapKeys(b.Context(), stored.Version, []byte("keys"), nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func (f *benchFile) start(b *testing.B, observe func(bolt.Commit)) *bolt.DB {
	db, err := bolt.Open(b.Context(), bolt.Config{Path: f.path, Observe: observe, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// settled is how many refreshes fill both journals, so that what follows is measured as it
// goes on for ever: each full journal is folded while the other one fills.
const settled = 1 << 18

// advance measures first uses of refresh tokens, of sessions anywhere in the file: what
// each reads and writes, without the signature that follows it.
func (f *benchFile) advance(b *testing.B) {
	f.load(b, settled, func(db *bolt.DB) error {
		id := f.ids[rand.IntN(len(f.ids))]
		_, err := db.Change(context.Background(), session.Target{Ref: session.Ref{ID: id}},
			func(snap, _ session.Snapshot) (session.Change, error) {
				st := snap.State
				st.Generation++
				st.RedeemedAt = time.Now()
				st.LastSeenAt = st.RedeemedAt
				return session.Change{State: &st}, nil
			})
		return err
	})
}

// mint measures sign-ins, each of another user.
func (f *benchFile) mint(b *testing.B) {
	f.load(b, 0, func(db *bolt.DB) error {
		s := signIn()
		st := session.State{State: refresh.State{RedeemedAt: s.CreatedAt}, LastSeenAt: s.CreatedAt}
		_, err := db.Create(context.Background(), session.CreateRequest{Session: s, State: st, By: "web"})
		return err
	})
}

// load runs fn once per iteration, for so many callers at once, after as many runs that are
// not measured.
func (f *benchFile) load(b *testing.B, before int, fn func(*bolt.DB) error) {
	var commits, callers atomic.Int64
	db := f.start(b, func(c bolt.Commit) {
		commits.Add(1)
		callers.Add(int64(c.Callers))
	})
	defer db.Close()
	if !f.settled {
		callWith(b, db, before, fn)
		f.settled = before > 0
	}
	commits.Store(0)
	callers.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	worked := processorTime(b)
	callWith(b, db, b.N, fn)
	worked = processorTime(b) - worked
	b.StopTimer()
	b.ReportMetric(float64(worked.Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	b.ReportMetric(float64(callers.Load())/float64(commits.Load()), "callers/commit")
}

// processorTime is what this process has used of the processors. It varies less than the
// time that passes, where others are at work.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// callWith runs fn n times in all.
func callWith(b *testing.B, db *bolt.DB, n int, fn func(*bolt.DB) error) {
	var (
		left atomic.Int64
		wg   sync.WaitGroup
	)
	left.Store(int64(n))
	for range waiting {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := fn(db); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
