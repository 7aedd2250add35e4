package storetest

import (
	"context"

	"issuer.example/session"
)

// sweepBatch is how many sessions one sweep records the end of.
const sweepBatch = 50

// Sweep implements [session.Store].
func (r *reference) Sweep(ctx context.Context, s session.SweepRequest) (swept session.Swept, err error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return session.Swept{}, err
	}
	defer leave()
	r.note(s.Issued)
	for _, id := range r.order() {
		if swept.Ended+swept.Forgotten == sweepBatch {
			swept.More = true
			return swept, nil
		}
		r.sweepOne(r.marked(r.sessions[id]), s, &swept)
	}
	for scope, mark := range r.marks {
		if !mark.Until.After(s.Now) {
			delete(r.marks, scope)
		}
	}
	r.journal.trim(s.Now)
	return swept, nil
}

func (r *reference) sweepOne(snap session.Snapshot, s session.SweepRequest, swept *session.Swept) {
	verdict := s.Judge(snap)
	switch {
	case verdict.End.IsZero():
	case snap.End.IsZero():
		r.end(snap, session.Ending{End: verdict.End})
		swept.Ended++
	case !verdict.Again.After(s.Now):
		delete(r.sessions, idOf(snap))
		swept.Forgotten++
	}
	if !verdict.End.IsZero() && !verdict.Again.After(s.Now) && snap.End.IsZero() {
		swept.More = true // it can be forgotten already
	}
}
