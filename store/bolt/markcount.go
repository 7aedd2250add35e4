package bolt

import (
	"context"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// census is what a mark over a user finds.
type census struct {
	ended, unreadable int
	newer             []sid.ID // than a holder who is to be spared: the mark does not cover them
}

// count looks at the live sessions of a user whom a mark is going to cover, up to most of
// them. What an earlier mark covers is not live, and not looked at.
func (v *view) count(ctx context.Context, m *session.MarkRequest, most int) (found census, err error) {
	if m.Scope.Kind != revocation.KindUser {
		return found, nil
	}
	earlier, _, err := v.mark(m.Scope)
	if err != nil && !unreadable(err) {
		return found, err
	}
	w := v.walkUser(byUser, m.Scope.Name, sid.ID{})
	for reads := 1; ; reads++ {
		id, ok := w.next()
		if !ok || !id.IsZero() && earlier.Covers(id) {
			return found, nil
		}
		if reads > most {
			return found, errTooMany
		}
		if reads%readsPerCheck == 0 && ctx.Err() != nil {
			return found, ctx.Err()
		}
		if err := v.countOne(id, m, &found); err != nil {
			return found, err
		}
	}
}

func (v *view) countOne(id sid.ID, m *session.MarkRequest, found *census) error {
	newer := m.SpareHolder && id.Compare(m.Holder) > 0
	live, err := v.isLive(id, m.Judge)
	switch {
	case unreadable(err):
		found.unreadable++
		if newer {
			found.newer = append(found.newer, id)
		}
	case err != nil:
		return err
	case !live || m.SpareHolder && id == m.Holder:
	case newer:
		found.newer = append(found.newer, id)
	default:
		found.ended++
	}
	return nil
}

func (v *view) isLive(id sid.ID, verdict session.Judge) (bool, error) {
	snap, err := v.load(session.Ref{ID: id})
	if err != nil {
		return false, err
	}
	ruling, err := judge(verdict, snap)
	return ruling.End.IsZero(), err
}
