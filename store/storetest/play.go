package storetest

import (
	"cmp"
	"errors"
	"slices"

	"pgregory.net/rapid"

	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// errAbandoned is what a transaction fails with that is to leave no trace.
var errAbandoned = errors.New("abandoned")

// transaction plays a transaction of a few changes, no two of the same thing.
func (m *twin) transaction(t *rapid.T, f *fixture) {
	m.clock++
	changes := m.draw(t)
	abandon := rapid.IntRange(0, 5).Draw(t, "abandon") == 0
	err := f.Update(t.Context(), func(tx session.Tx) error {
		for _, c := range changes {
			if err := c.ask(tx); err != nil {
				return err
			}
		}
		if abandon {
			return errAbandoned
		}
		return nil
	})
	switch {
	case abandon && errors.Is(err, errAbandoned):
		return
	case abandon || err != nil:
		t.Fatalf("transaction: %v", err)
	}
	for _, c := range changes {
		c.do(m)
	}
}

func (m *twin) draw(t *rapid.T) []change {
	var (
		changes []change
		touched = map[sid.ID]bool{}
		marked  bool
		trimmed bool
	)
	for range rapid.IntRange(1, 5).Draw(t, "changes") {
		var (
			snap, known = m.pick(t)
			due, isDue  = m.pickDue(t)
		)
		known = known && !touched[idOf(snap)]
		isDue = isDue && !touched[due.ID]
		switch kind := rapid.IntRange(0, 10).Draw(t, "kind"); {
		case kind <= 3:
			changes = append(changes, m.create(t))
		case kind == 4 && known:
			touched[idOf(snap)] = true
			changes = append(changes, m.amend(t, snap))
		case kind <= 6 && known:
			touched[idOf(snap)] = true
			changes = append(changes, m.advance(t, snap))
		case kind == 7 && known:
			touched[idOf(snap)] = true
			changes = append(changes, m.end(t, snap))
		case kind == 8 && isDue:
			touched[due.ID] = true
			changes = append(changes, m.look(t, due))
		case kind == 9 && !marked && !trimmed:
			marked = true
			c := m.revoke(t)
			if old, ok := m.mark(t); ok && rapid.Bool().Draw(t, "upkeep") {
				c = old
			}
			changes = append(changes, c)
		case kind == 10 && !marked && !trimmed:
			trimmed = true
			changes = append(changes, m.trim(t))
		}
	}
	return changes
}

// pick draws a session.
func (m *twin) pick(t *rapid.T) (session.Snapshot, bool) {
	if len(m.sessions) == 0 {
		return session.Snapshot{}, false
	}
	var all []session.Snapshot
	for _, snap := range m.sessions {
		all = append(all, snap)
	}
	slices.SortFunc(all, func(a, b session.Snapshot) int { return idOf(a).Compare(idOf(b)) })
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "session")], true
}

// pickDue draws a session that is due at some time.
func (m *twin) pickDue(t *rapid.T) (session.Due, bool) {
	all := m.contents().Due
	if len(all) == 0 {
		return session.Due{}, false
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "due")], true
}

// compare compares everything.
func (m *twin) compare(t *rapid.T, f *fixture) {
	got, want := f.contents(t, users()...), m.contents()
	byScope := func(a, b revocation.Mark) int { return cmp.Compare(a.Scope.Kind, b.Scope.Kind) }
	slices.SortFunc(got.Marks, byScope)
	slices.SortFunc(want.Marks, byScope)
	equal(t, "contents", got, want)
	for _, u := range users() {
		var live []session.Snapshot
		for _, snap := range slices.Backward(want.Live) {
			if snap.Session.User.ID == u {
				live = append(live, snap)
			}
		}
		f.want(t, u, false, live...)
	}
}

func (m *twin) swapKeys(t *rapid.T, f *fixture) {
	from := uint64(rapid.IntRange(0, len(m.keys)+1).Draw(t, "from"))
	document := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "document")
	err := f.SwapKeys(t.Context(), from, document, nil)
	switch {
	case from == uint64(len(m.keys)) && err == nil:
		m.keys = append(m.keys, document)
	case from != uint64(len(m.keys)) && errors.Is(err, keys.ErrConflict):
	default:
		t.Fatalf("swap from version %d of %d: %v", from, len(m.keys), err)
	}
}
