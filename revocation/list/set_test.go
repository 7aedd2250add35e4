package list_test

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/sid"
)

var at = time.UnixMilli(1_700_000_000_123).UTC()

func listed(id sid.ID, until time.Time) revocation.Entry {
	return revocation.Entry{Scope: revocation.Scope{Kind: revocation.KindSession}, SID: id, Until: until}
}

func marked(scope revocation.Scope, upTo sid.ID, until time.Time) revocation.Entry {
	return revocation.Entry{Scope: scope, SID: upTo, Until: until}
}

func TestRevoked(t *testing.T) {
	ids := sid.NewGenerator(func() time.Time { return at }) // all in one millisecond
	before, listedID, upTo, after := ids.Next(), ids.Next(), ids.Next(), ids.Next()
	for name, c := range map[string]struct {
		entry revocation.Entry
		is    []sid.ID // revoked of u1 at c1
		not   []sid.ID
	}{
		"list":          {listed(listedID, at), []sid.ID{listedID}, []sid.ID{before, upTo, after}},
		"user":          {marked(revocation.UserScope("u1"), upTo, at), []sid.ID{before, listedID, upTo}, []sid.ID{after}},
		"client":        {marked(revocation.ClientScope("c1"), upTo, at), []sid.ID{before, listedID, upTo}, []sid.ID{after}},
		"everything":    {marked(revocation.EverythingScope(), upTo, at), []sid.ID{before, listedID, upTo}, []sid.ID{after}},
		"other user":    {marked(revocation.UserScope("u2"), upTo, at), nil, []sid.ID{before, listedID, upTo, after}},
		"other client":  {marked(revocation.ClientScope("c2"), upTo, at), nil, []sid.ID{before, listedID, upTo, after}},
		"user as c1":    {marked(revocation.UserScope("c1"), upTo, at), nil, []sid.ID{before, upTo, after}},
		"client as u1":  {marked(revocation.ClientScope("u1"), upTo, at), nil, []sid.ID{before, upTo, after}},
		"unknown kinds": {revocation.Entry{Scope: revocation.Scope{Kind: 9}, SID: upTo, Until: at}, nil, []sid.ID{before, upTo}},
	} {
		set := list.NewSet()
		set.Apply(c.entry)
		for _, id := range c.is {
			if !set.Revoked(id, "u1", "c1") {
				t.Errorf("%s: %s is not revoked", name, id)
			}
		}
		for _, id := range c.not {
			if set.Revoked(id, "u1", "c1") {
				t.Errorf("%s: %s is revoked", name, id)
			}
		}
	}
}

// model is the set in its simplest form.
type model struct {
	sessions map[sid.ID]time.Time
	marks    map[revocation.Scope]revocation.Entry
}

func (m *model) apply(e revocation.Entry) {
	if e.Scope.Kind == revocation.KindSession {
		if m.sessions[e.SID].Before(e.Until) {
			m.sessions[e.SID] = e.Until
		}
		return
	}
	old, ok := m.marks[e.Scope]
	if ok && old.SID.Compare(e.SID) > 0 {
		e.SID = old.SID
	}
	if ok && old.Until.After(e.Until) {
		e.Until = old.Until
	}
	m.marks[e.Scope] = e
}

func (m *model) expire(now time.Time) {
	for id, until := range m.sessions {
		if until.Before(now) {
			delete(m.sessions, id)
		}
	}
	for scope, e := range m.marks {
		if e.Until.Before(now) {
			delete(m.marks, scope)
		}
	}
}

func (m *model) revoked(id sid.ID, user, client string) bool {
	if _, ok := m.sessions[id]; ok {
		return true
	}
	for _, scope := range revocation.ScopesOf(user, client) {
		if e, ok := m.marks[scope]; ok && id.Compare(e.SID) <= 0 {
			return true
		}
	}
	return false
}

// The set answers as its model does, whatever is applied, loaded and expired.
func TestSetMatchesItsModel(t *testing.T) {
	names := []string{"", "u1", "u2", "c1", "c2"}
	rapid.Check(t, func(t *rapid.T) {
		clock := at.Truncate(time.Second)
		ids := sid.NewGenerator(func() time.Time { return clock })
		known := []sid.ID{ids.Next()}
		set, plain := list.NewSet(), &model{map[sid.ID]time.Time{}, map[revocation.Scope]revocation.Entry{}}
		entry := func() revocation.Entry {
			e := revocation.Entry{SID: rapid.SampledFrom(known).Draw(t, "sid")}
			e.Until = clock.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "until")) * time.Second)
			e.Scope = rapid.SampledFrom([]revocation.Scope{
				{Kind: revocation.KindSession},
				{Kind: revocation.KindSession},
				{Kind: revocation.KindSession},
				revocation.UserScope("u1"), revocation.UserScope("u2"), revocation.ClientScope("c1"), revocation.EverythingScope(),
			}).Draw(t, "scope")
			return e
		}
		t.Repeat(map[string]func(*rapid.T){
			"mint":  func(*rapid.T) { known = append(known, ids.Next()) },
			"pass":  func(t *rapid.T) { clock = clock.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "s")) * time.Second) },
			"apply": func(*rapid.T) { e := entry(); set.Apply(e); plain.apply(e) },
			"load": func(t *rapid.T) {
				var s revocation.Snapshot
				for range rapid.IntRange(0, 40).Draw(t, "n") {
					e := entry()
					s.Entries = append(s.Entries, e)
					plain.apply(e)
				}
				set.Load(s)
			},
			"expire": func(t *rapid.T) {
				set.Expire(clock)
				plain.expire(clock)
				if set.Len() != len(plain.sessions)+len(plain.marks) {
					t.Fatalf("the set holds %d entries, not %d", set.Len(), len(plain.sessions)+len(plain.marks))
				}
			},
			"": func(t *rapid.T) {
				for range 5 {
					id := rapid.SampledFrom(known).Draw(t, "ask")
					user, client := rapid.SampledFrom(names).Draw(t, "user"), rapid.SampledFrom(names).Draw(t, "client")
					want := plain.revoked(id, user, client)
					if got := set.Revoked(id, user, client); got != want {
						t.Fatalf("%s of %q at %q: %v", id, user, client, got)
					}
				}
			},
		})
	})
}

// A reader finds an entry that was applied before, while others are applied, loaded and
// expired.
func TestReadersMissNoEntry(t *testing.T) {
	set, ids := list.NewSet(), sid.NewGenerator(nil)
	until := at.Add(time.Hour)
	first := ids.Next()
	set.Apply(listed(first, until))
	set.Apply(marked(revocation.UserScope("u0"), first, until))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if !set.Revoked(first, "x", "y") || !set.Revoked(first, "u0", "y") {
					t.Error("an entry is missing")
					return
				}
			}
		})
	}
	for i := range 30_000 {
		id := ids.Next()
		set.Apply(listed(id, at))
		set.Apply(marked(revocation.UserScope("u"+strconv.Itoa(i%500)), id, until))
		if !set.Revoked(id, "u"+strconv.Itoa(i%500), "") {
			t.Fatal("what was applied is not revoked")
		}
		if i%1000 == 0 {
			set.Expire(at.Add(2 * time.Second))
			set.Load(revocation.Snapshot{Entries: []revocation.Entry{listed(ids.Next(), until)}})
		}
	}
	close(done)
	wg.Wait()
}

// An entry takes at most 64 bytes, whatever it is. When all have ended the memory is free
// again.
func TestSetMemory(t *testing.T) {
	for name, c := range map[string]struct {
		entry func(i int, id sid.ID) revocation.Entry
		limit float64 // bytes an entry
	}{
		"sessions": {sessionEntry, 64},
		"mixed":    {mixedEntry, 64},
		"users": {func(i int, id sid.ID) revocation.Entry {
			return marked(revocation.UserScope(fmt.Sprintf("user-%d@example.com", i)), id, at)
		}, 64},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			set := list.NewSet()
			fill(set, c.entry)
			each := float64(heap()-before) / many
			t.Logf("%.1f bytes an entry", each)
			if each > c.limit || set.Len() != many {
				t.Errorf("%.1f bytes for each of %d entries", each, set.Len())
			}
			set.Expire(at.Add(2 * time.Second))
			if left := heap() - before; set.Len() != 0 || left > 256<<10 {
				t.Errorf("after the end of all entries the set holds %d of them and %d bytes", set.Len(), left)
			}
			runtime.KeepAlive(set)
		})
	}
}

// heap returns the bytes in use after a garbage collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An entry is kept for as long as its Until says, to the fraction of a second, and dropped
// within a second after that.
func TestExpire(t *testing.T) {
	ids := sid.NewGenerator(nil)
	for name, scope := range map[string]revocation.Scope{
		"session": {Kind: revocation.KindSession}, "user": revocation.UserScope("u1"),
		"client": revocation.ClientScope("c1"), "everything": revocation.EverythingScope(),
	} {
		set, id := list.NewSet(), ids.Next()
		set.Apply(marked(scope, id, at))
		for _, now := range []time.Time{at.Add(-time.Hour), at.Add(-time.Millisecond), at} {
			set.Expire(now)
			if !set.Revoked(id, "u1", "c1") || set.Len() != 1 {
				t.Errorf("%s: dropped %s before its end", name, at.Sub(now))
			}
		}
		set.Apply(marked(scope, id, at.Add(-time.Minute))) // no entry shortens another
		set.Expire(at)
		if !set.Revoked(id, "u1", "c1") {
			t.Errorf("%s: dropped after an entry that ends earlier", name)
		}
		set.Expire(at.Add(time.Second))
		if set.Revoked(id, "u1", "c1") || set.Len() != 0 {
			t.Errorf("%s: still there a second after its end", name)
		}
	}
}
