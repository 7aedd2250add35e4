package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// twin is a store in memory: what the real one is compared with.
type twin struct {
	sessions map[sid.ID]session.Snapshot
	due      map[session.Due]bool
	log      []revocation.Entry
	marks    map[revocation.Scope]revocation.Mark
	seq      uint64
	last     sid.ID
	keys     [][]byte
	clock    int // minutes, grows with each transaction
	newest   uint32
}

func users() []string { return []string{"a", "ab", "b"} }

// contents is what the real store is to have.
func (m *twin) contents() contents {
	c := contents{Ended: map[string][]session.Snapshot{}, LastSID: m.last, Log: m.log, First: m.seq + 1}
	if len(m.log) > 0 {
		c.First = m.log[0].Seq
	}
	for _, snap := range m.sessions {
		if snap.End.IsZero() {
			c.Live = append(c.Live, snap)
		} else {
			u := snap.Session.User.ID
			c.Ended[u] = append(c.Ended[u], snap)
		}
	}
	oldestFirst := func(a, b session.Snapshot) int { return idOf(a).Compare(idOf(b)) }
	slices.SortFunc(c.Live, oldestFirst)
	for _, ended := range c.Ended {
		slices.SortFunc(ended, func(a, b session.Snapshot) int { return oldestFirst(b, a) })
	}
	c.LiveN = int64(len(c.Live))
	for d := range m.due {
		c.Due = append(c.Due, d)
	}
	slices.SortFunc(c.Due, func(a, b session.Due) int {
		if n := a.At.Compare(b.At); n != 0 {
			return n
		}
		return a.ID.Compare(b.ID)
	})
	for _, mark := range m.marks {
		c.Marks = append(c.Marks, mark)
	}
	if n := len(m.keys); n > 0 {
		c.Keys.Version, c.Keys.Document = uint64(n), m.keys[n-1]
	}
	return c
}

// change is one write: how to ask the store for it, and what it does to the twin.
type change struct {
	ask func(session.Tx) error
	do  func(*twin)
}

func (m *twin) create(t *rapid.T) change {
	m.newest += rapid.Uint32Range(1, 300).Draw(t, "gap")
	snap := small(id(m.newest), rapid.SampledFrom(users()).Draw(t, "user"))
	if rapid.Bool().Draw(t, "full") {
		snap = full(idOf(snap), snap.Session.User.ID)
	}
	due := session.Due{At: after(rapid.IntRange(0, 500).Draw(t, "due")), ID: idOf(snap)}
	return change{
		func(tx session.Tx) error { return tx.Create(snap.Session, snap.State, due.At) },
		func(m *twin) { m.sessions[due.ID], m.due[due], m.last = snap, true, due.ID },
	}
}

func (m *twin) amend(t *rapid.T, snap session.Snapshot) change {
	snap.Session.Label = rapid.StringN(0, 200, 800).Draw(t, "label")
	return change{
		func(tx session.Tx) error { return tx.Amend(snap.Session) },
		func(m *twin) { m.sessions[idOf(snap)] = snap },
	}
}

func (m *twin) advance(t *rapid.T, snap session.Snapshot) change {
	st := session.State{
		Generation: rapid.Uint32().Draw(t, "generation"), RedeemedAt: after(m.clock), LastSeenAt: after(m.clock),
	}
	if snap.End.IsZero() {
		snap.State = st
	}
	return change{
		func(tx session.Tx) error {
			err := tx.SetState(idOf(snap), st)
			if !snap.End.IsZero() && errors.Is(err, session.ErrNotFound) {
				return nil // as it is to be
			}
			return err
		},
		func(m *twin) { m.sessions[idOf(snap)] = snap },
	}
}

func (m *twin) end(t *rapid.T, snap session.Snapshot) change {
	end := session.End{At: after(m.clock), Reason: rapid.SampledFrom([]session.Reason{
		session.ReasonSignOut, session.ReasonClientRevoked, "another",
	}).Draw(t, "reason")}
	if snap.End.IsZero() {
		snap.End = end
	}
	return change{
		func(tx session.Tx) error { return tx.End(idOf(snap), end) },
		func(m *twin) { m.sessions[idOf(snap)] = snap },
	}
}

func (m *twin) revoke(t *rapid.T) change {
	scope := rapid.SampledFrom([]revocation.Scope{
		{Kind: revocation.KindSession}, revocation.UserScope("a"), revocation.ClientScope("a"), revocation.EverythingScope(),
	}).Draw(t, "scope")
	entry := revocation.Entry{
		Scope: scope, SID: id(rapid.Uint32Range(1, m.newest+50).Draw(t, "sid")), Reason: "idle",
		At: after(m.clock), Until: after(m.clock + 10),
	}
	if scope.Kind != revocation.KindSession {
		m.newest = max(m.newest, uint32(entry.SID.Time().UnixMilli()))
	}
	return change{func(tx session.Tx) error { return tx.Revoke(entry) }, func(m *twin) { m.append(entry) }}
}

func (m *twin) append(entry revocation.Entry) {
	m.seq++
	entry.Seq = m.seq
	m.log = append(slices.Clip(m.log), entry)
	if entry.Scope.Kind == revocation.KindSession {
		return
	}
	if entry.SID.Compare(m.last) > 0 {
		m.last = entry.SID
	}
	mark, ok := m.marks[entry.Scope]
	if ok && mark.Covers(entry.SID) {
		mark.Until = entry.Until // later than before: the clock only goes forward
	} else {
		mark = markOf(entry)
	}
	m.marks[entry.Scope] = mark
}

func (m *twin) mark(t *rapid.T) (change, bool) {
	if len(m.marks) == 0 {
		return change{}, false
	}
	var scopes []revocation.Scope
	for scope := range m.marks {
		scopes = append(scopes, scope)
	}
	slices.SortFunc(scopes, func(a, b revocation.Scope) int { return int(a.Kind) - int(b.Kind) })
	mark := m.marks[rapid.SampledFrom(scopes).Draw(t, "mark")]
	if rapid.Bool().Draw(t, "drop") {
		return change{
			func(tx session.Tx) error { return tx.DropMark(mark) },
			func(m *twin) { delete(m.marks, mark.Scope) },
		}, true
	}
	return change{
		func(tx session.Tx) error { return tx.Settle(mark) },
		func(m *twin) { mark.Settled = true; m.marks[mark.Scope] = mark },
	}, true
}

// look is what the sweeper does to a session that is due.
func (m *twin) look(t *rapid.T, due session.Due) change {
	if rapid.Bool().Draw(t, "purge") {
		return change{
			func(tx session.Tx) error { return tx.Purge(due) },
			func(m *twin) { delete(m.due, due); delete(m.sessions, due.ID) },
		}
	}
	later := session.Due{At: due.At.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "later")) * time.Minute), ID: due.ID}
	return change{
		func(tx session.Tx) error { return tx.Defer(due, later.At) },
		func(m *twin) { delete(m.due, due); m.due[later] = true },
	}
}

func (m *twin) trim(t *rapid.T) change {
	by, limit := after(rapid.IntRange(0, m.clock+20).Draw(t, "by")), rapid.IntRange(1, 4).Draw(t, "limit")
	n := 0
	for n < len(m.log) && n < limit && !m.log[n].Until.After(by) {
		n++
	}
	return change{
		func(tx session.Tx) error {
			got, err := tx.TrimLog(by, limit)
			if err == nil && got != n {
				t.Errorf("trimmed %d entries, not %d", got, n)
			}
			return err
		},
		func(m *twin) { m.log = m.log[n:] },
	}
}

// A store does what the twin does, whatever is asked of it in whatever order, across ends
// of the process.
func testModel(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t, open)
		defer f.Close()
		m := &twin{
			sessions: map[sid.ID]session.Snapshot{}, due: map[session.Due]bool{},
			marks: map[revocation.Scope]revocation.Mark{},
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":            func(rt *rapid.T) { m.compare(rt, f) },
			"transaction": func(rt *rapid.T) { m.transaction(rt, f) },
			"keys":        func(rt *rapid.T) { m.swapKeys(rt, f) },
			"restart": func(rt *rapid.T) {
				if rapid.Bool().Draw(rt, "crash") {
					f.crash()
				} else {
					f.reopen()
				}
			},
		})
	})
}
