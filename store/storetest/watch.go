package storetest

import (
	"context"
	"sync"
	"testing"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store"
)

func testWatch(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Idle": testWatchIdle,
		"Many": testWatchMany,
	})
}

// A watcher gets a value for every addition, together with others or alone, and what it is
// told of is there to be read. One that does not receive holds up nobody.
func testWatchIdle(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	ctx, cancel := context.WithCancel(t.Context())
	idle, watched := f.Watch(t.Context()), f.Watch(ctx)
	const most = 50
	var wg sync.WaitGroup
	wg.Go(func() {
		for range most {
			f.add(t, small("u1"))
		}
	})
	for seen := uint64(0); seen < most; {
		<-watched
		for _, fa := range f.facts(t, seen) {
			if seen++; fa.Number != seen {
				t.Fatalf("fact %d comes where %d was to come", fa.Number, seen)
			}
		}
	}
	wg.Wait()
	if cap(idle) > 1 {
		t.Error("values that nobody receives pile up")
	}
	<-idle
	cancel()
	f.mark(t, revocation.EverythingScope(), after(1))
	<-idle // whose context goes on
}

// Readers that read only when they are told to miss nothing, while many issuers write.
func testWatchMany(t *testing.T, harness Harness) {
	const (
		readers = 6
		writers = 8
		each    = 20
	)
	f := newFixture(t, harness, 4)
	var wg sync.WaitGroup
	for r := range readers {
		log := f.issuers[r%len(f.issuers)]
		watched := log.Watch(t.Context())
		wg.Go(func() {
			for read := uint64(0); read < 3*writers*each; {
				<-watched
				read = readOn(t, log, read)
			}
		})
	}
	for w := range writers {
		wg.Go(func() { writeFacts(t, f.issuers[w%len(f.issuers)], each) })
	}
	wg.Wait()
}

// readOn reads what follows, and returns the newest number.
func readOn(t failer, log fact.Log, read uint64) uint64 {
	t.Helper()
	facts, _, err := log.Facts(t.Context(), read, plenty)
	if err != nil {
		t.Errorf("facts: %v", err)
	}
	for _, fa := range facts {
		if read++; fa.Number != read {
			t.Errorf("fact %d comes where %d was to come", fa.Number, read)
		}
	}
	return read
}

// writeFacts writes three facts, so many times.
func writeFacts(t failer, at store.Backend, times int) {
	t.Helper()
	for n := range times {
		s := createAt(t, at, small("u1"))
		if _, err := at.Change(t.Context(), target(idOf(s)), always(ending(after(n), session.ReasonSignOut))); err != nil {
			t.Errorf("change: %v", err)
		}
		if err := at.Record(t.Context(), fact.Fact{Kind: fact.Administered, At: after(n), What: "test"}); err != nil {
			t.Errorf("record: %v", err)
		}
	}
}
