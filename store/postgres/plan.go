package postgres

import (
	"errors"
	"math/rand/v2"
	"time"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
)

var (
	errEndTime  = errors.New("postgres: an end needs a time")
	errFactKind = errors.New("postgres: a change can add facts of the kinds changed and administered alone")
)

// plan is what a decision writes.
type plan struct {
	next       *stored
	facts      []pendingFact
	admission  *session.Admission
	statesOnly bool // nothing but the columns of the state changes
}

// newPlan applies a change to a session; nil if it writes nothing.
func newPlan(seen *stored, c *session.Change) (*plan, error) {
	if err := checkChange(c); err != nil {
		return nil, err
	}
	live := seen.End.IsZero()
	setState, end := live && c.State != nil, live && c.End != nil
	if c.Session == nil && !setState && !end && len(c.Facts) == 0 && (!live || c.Admission == nil) {
		return nil, nil
	}
	next := *seen
	p := &plan{next: &next, statesOnly: c.Session == nil && !end && len(c.Facts) == 0}
	if live {
		p.admission = c.Admission
	}
	if c.Session != nil {
		next.Session = *c.Session
		old := &seen.Session
		next.Session.ID, next.Session.User = old.ID, old.User
		next.Session.CreatedAt, next.Session.ExpiresAt = old.CreatedAt, old.ExpiresAt
	}
	if setState {
		next.State = *c.State
	}
	if end {
		next.End, next.Mark = c.End.End, revocation.Mark{}
		p.facts = append(p.facts, endedFact(next.Snapshot, *c.End))
	}
	for _, f := range c.Facts {
		f.At = milli(f.At)
		p.facts = append(p.facts, f)
	}
	next.Snapshot, next.version = asStored(next.Snapshot), newVersion()
	return p, nil
}

// newVersion is a version that no other write has.
func newVersion() int64 { return int64(rand.Uint64()) } //nolint:gosec // it has to differ, not to be secret

// endedFact is the fact of a session's end.
func endedFact(s session.Snapshot, e session.Ending) pendingFact {
	return fact.Fact{
		Kind: fact.Ended, At: milli(e.At), SID: s.Session.ID, What: string(e.Reason), By: e.By,
		Until: untilOfEnd(s, e.At, e.Notice),
	}
}

// times are those that tokens may be dated with after the change.
func (p *plan) times() []time.Time {
	return []time.Time{p.next.Session.AuthTime, p.next.State.RedeemedAt, p.next.State.LastSeenAt}
}

func checkChange(c *session.Change) error {
	if c.End != nil && c.End.At.IsZero() || c.Admission != nil && c.Admission.At.IsZero() {
		return errEndTime
	}
	for i := range c.Facts {
		if f := &c.Facts[i]; f.Kind != fact.Changed && f.Kind != fact.Administered {
			return errFactKind
		}
	}
	return nil
}
