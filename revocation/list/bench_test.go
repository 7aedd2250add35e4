package list_test

import (
	"strconv"
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/sid"
)

const many = 100_000

func sessionEntry(_ int, id sid.ID) revocation.Entry { return listed(id, at) }

// mixedEntry is a mark of a user for every tenth entry, and of a client for the next one.
func mixedEntry(i int, id sid.ID) revocation.Entry {
	switch i % 10 {
	case 0:
		return marked(revocation.UserScope("user-"+strconv.Itoa(i)), id, at)
	case 1:
		return marked(revocation.ClientScope("client-"+strconv.Itoa(i)), id, at)
	default:
		return listed(id, at)
	}
}

// fill applies many entries and returns their identifiers.
func fill(set *list.Set, entry func(i int, id sid.ID) revocation.Entry) []sid.ID {
	ids := sid.NewGenerator(nil)
	known := make([]sid.ID, many)
	for i := range known {
		known[i] = ids.Next()
		set.Apply(entry(i, known[i]))
	}
	return known
}

// BenchmarkRevoked looks sessions up among 100,000 entries: sessions alone, and with a
// tenth of marks over users and a tenth over clients.
func BenchmarkRevoked(b *testing.B) {
	for name, entry := range map[string]func(int, sid.ID) revocation.Entry{"sessions": sessionEntry, "mixed": mixedEntry} {
		s := lookups{set: list.NewSet(), entry: entry}
		s.known = fill(s.set, entry)
		s.live = make([]sid.ID, 4096)
		ids := sid.NewGenerator(nil)
		for i := range s.live {
			s.live[i] = ids.Next()
		}
		b.Run(name+"/live", s.ofLive)
		b.Run(name+"/revoked", s.ofRevoked)
		b.Run(name+"/parallel", s.inParallel)
		b.Run(name+"/live, while entries are applied", s.whileApplying(s.ofLive))
		b.Run(name+"/parallel, while entries are applied", s.whileApplying(s.inParallel))
	}
}

type lookups struct {
	set         *list.Set
	entry       func(i int, id sid.ID) revocation.Entry
	known, live []sid.ID
}

func (s *lookups) ofLive(b *testing.B) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if s.set.Revoked(s.live[i%len(s.live)], "018bcfe5-6800-7000", "web") {
			b.Fatal("a live session is revoked")
		}
	}
}

func (s *lookups) ofRevoked(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		n := i * 7919 % many / 10 * 10
		if !s.set.Revoked(s.known[n+5], "018bcfe5-6800-7000", "web") {
			b.Fatal("a revoked session is live")
		}
	}
}

func (s *lookups) inParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if s.set.Revoked(s.live[i%len(s.live)], "018bcfe5-6800-7000", "web") {
				b.Error("a live session is revoked")
			}
		}
	})
}

// whileApplying runs a benchmark beside 10,000 applied entries a second.
func (s *lookups) whileApplying(run func(b *testing.B)) func(b *testing.B) {
	return func(b *testing.B) {
		done, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i += 10 {
				select {
				case <-tick.C:
				case <-done:
					return
				}
				for n := i; n < i+10; n++ {
					s.set.Apply(s.entry(n%many, s.known[n%many]))
				}
			}
		}()
		run(b)
		close(done)
		<-stopped
	}
}
