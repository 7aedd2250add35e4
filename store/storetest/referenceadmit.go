package storetest

import (
	"slices"

	"issuer.example/revocation"
	"issuer.example/session"
)

// admit ends what a session replaces, and as many of its user's as the limit asks for. The
// identifier of a new session is zero.
func (r *reference) admit(s session.Snapshot, a session.Admission, by string) (done session.Created, err error) {
	user, limit := s.Session.User.ID, a.Limit
	live := slices.DeleteFunc(r.live(user, limit.Judge), func(other session.Snapshot) bool {
		return idOf(other) == idOf(s)
	})
	replaced := slices.IndexFunc(live, func(other session.Snapshot) bool { return idOf(other) == a.Replaces })
	counted := slices.DeleteFunc(slices.Clone(live), func(other session.Snapshot) bool {
		return other.Session.Unclaimed || idOf(other) == a.Replaces
	})
	excess := len(counted) + 1 - limit.Max
	if limit.Max > 0 && excess > 0 && limit.Policy == session.LimitRefuse {
		return done, session.ErrLimit
	}
	if replaced >= 0 {
		r.end(live[replaced], session.Ending{
			End: session.End{At: a.At, Reason: session.ReasonReplaced}, By: by, Notice: limit.Notice,
		})
	}
	if limit.Max == 0 || excess <= 0 {
		return done, nil
	}
	r.evict(&done, s, counted, excess, a)
	return done, nil
}

// evict ends that many of the sessions, which are sorted from the oldest to the newest.
func (r *reference) evict(done *session.Created, s session.Snapshot, counted []session.Snapshot, excess int, a session.Admission) {
	few, newest, self := min(excess, session.MaxEvicted), idOf(counted[excess-1]), idOf(s)
	if a.Limit.Policy != session.LimitEvictIdle && few < excess && (self.IsZero() || self.Compare(newest) > 0) {
		r.raise(session.MarkRequest{
			Scope: revocation.UserScope(s.Session.User.ID), At: a.At, Reason: session.ReasonLimit, Notice: a.Limit.Notice,
		}, newest)
		done.EvictedUpTo = newest
		return
	}
	counted = counted[max(0, len(counted)-a.Limit.Max-session.MaxEvicted):] // older ones are not looked at
	if a.Limit.Policy == session.LimitEvictIdle {
		slices.SortStableFunc(counted, func(a, b session.Snapshot) int {
			return a.State.LastSeenAt.Compare(b.State.LastSeenAt)
		})
	}
	for _, snap := range counted[:few] {
		snap.Mark = revocation.Mark{}
		r.end(snap, session.Ending{
			End: session.End{At: a.At, Reason: session.ReasonLimit}, Notice: a.Limit.Notice,
		})
		done.Evicted = append(done.Evicted, r.sessions[idOf(snap)])
	}
}
