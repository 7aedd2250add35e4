package session

import "time"

// windowsPerStep is how many concurrency windows make a step. Whoever learns at the end of a
// step that the session was refreshed in it is too late for the window in most cases.
const windowsPerStep = 6

// step is the width of the steps in which holders see times of use; 0 if there is no
// concurrency window, so that there is no moment to hide.
func (s *Service) step() time.Duration { return windowsPerStep * s.cfg.Refresh.Window }

// used returns the state of a session that is used now, which moves its idle end.
func (s *Service) used(st State, from Device, now time.Time) State {
	if s.inEarlierStep(st.LastSeenAt, now) {
		st.SeenBefore = st.LastSeenAt
	}
	st.LastSeenAt, st.LastFrom = now, from
	return st
}

// inEarlierStep reports whether the step of t is over now.
func (s *Service) inEarlierStep(t, now time.Time) bool {
	return t.Truncate(s.step()).Before(now.Truncate(s.step()))
}

// forHolder is what a holder of one of the session's tokens may see of it now.
func (s *Service) forHolder(v View, now time.Time) View {
	return s.inSteps(v, s.shownUse(v, now), now)
}

// shownUse is the last use that holders may know of now: one in a step that is over.
func (s *Service) shownUse(v View, now time.Time) time.Time {
	if s.step() == 0 || !v.End.IsZero() || s.inEarlierStep(v.LastSeenAt, now) {
		return v.LastSeenAt
	}
	return latest(v.SeenBefore, v.CreatedAt)
}

// inSteps is a view with the times that follow from the last use, rounded down, but not to
// before the sign-in. An idle end that would be over by that is the end of the current step: a
// client must not take a live session for an ended one.
func (s *Service) inSteps(v View, use, now time.Time) View {
	v.State = State{LastSeenAt: use, LastFrom: v.LastFrom}
	step := s.step()
	if step == 0 || !v.End.IsZero() {
		return v
	}
	v.LastSeenAt = latest(use.Truncate(step), v.CreatedAt)
	v.IdleExpiresAt = s.idleEnd(v.Session, use).Truncate(step)
	if !v.IdleExpiresAt.After(now) {
		v.IdleExpiresAt = earliest(now.Truncate(step).Add(step), v.ExpiresAt)
	}
	return v
}
