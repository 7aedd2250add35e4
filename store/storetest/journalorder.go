package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// The journal is numbered in the order of commits: a reader that goes on from the last
// number that it has read misses nothing, and finds a fact once its writer has returned.
func testJournalOrder(t *testing.T, harness Harness) {
	const (
		writers = 10
		each    = 16
	)
	f := newFixture(t, harness, 4)
	var (
		done    atomic.Bool
		readers sync.WaitGroup
		wg      sync.WaitGroup
	)
	for r := range 2 {
		readers.Go(func() {
			if n := f.follow(t, f.issuers[r], &done); n != 2*writers*each {
				t.Errorf("%d facts were read of %d", n, 2*writers*each)
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			at := f.issuers[w%len(f.issuers)]
			for n := range each {
				s := createAt(t, at, begun(fmt.Sprintf("u%d", w), after(n)))
				last := f.lastFact(t)
				m := markAt(t, at, markRequest(revocation.UserScope(s.Session.User.ID), after(n)))
				if !hasMark(f.facts(t, last), m.Mark) {
					t.Errorf("%+v was acknowledged and is not in the journal", m.Mark)
				}
			}
		})
	}
	wg.Wait()
	done.Store(true)
	readers.Wait()
}

func hasMark(facts []fact.Fact, m revocation.Mark) bool {
	for _, fa := range facts {
		if fa.Kind == fact.Marked && fa.Scope == m.Scope && fa.SID == m.SID {
			return true
		}
	}
	return false
}

// follow reads the journal until it is done, and returns how many facts it has read.
func (f *fixture) follow(t failer, log fact.Log, done *atomic.Bool) (read uint64) {
	t.Helper()
	var (
		revocations uint64
		newest      = map[string]sid.ID{} // mark of each user
	)
	for {
		finished := done.Load()
		facts, _, err := log.Facts(t.Context(), read, 7)
		if err != nil {
			t.Errorf("facts: %v", err)
			return read
		}
		for _, fa := range facts {
			if read++; fa.Number != read {
				t.Errorf("fact %d comes where %d was to come", fa.Number, read)
			}
			if fa.Kind != fact.Marked {
				continue
			}
			if revocations++; fa.Revocation != revocations {
				t.Errorf("revocation %d comes where %d was to come", fa.Revocation, revocations)
			}
			if fa.SID.Compare(newest[fa.Scope.Name]) <= 0 {
				t.Errorf("%s: the mark %s comes after %s", fa.Scope.Name, fa.SID, newest[fa.Scope.Name])
			}
			newest[fa.Scope.Name] = fa.SID
		}
		if finished && len(facts) == 0 {
			return read
		}
	}
}

// No number is given twice: not after the store was closed, has crashed, or has trimmed all.
func testNumbersNotReused(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	var facts, revocations uint64
	for round, restart := range []func(){f.reopen, f.crash, func() {}, f.crash, f.reopen, func() {}} {
		now := start().Add(time.Duration(4*round) * Retention)
		c := ending(now, session.ReasonSignOut)
		f.change(t, idOf(f.add(t, begun("u1", now))), c)
		last := f.lastRevocation(t)
		if last.Number != facts+2 || last.Revocation != revocations+1 {
			t.Errorf("round %d: fact %d follows %d, revocation %d follows %d", round, last.Number, facts, last.Revocation, revocations)
		}
		if round%2 == 1 {
			f.sweepAll(t, now.Add(2*Retention))
		}
		facts = f.lastFact(t)
		revocations = last.Revocation
		restart()
	}
}
