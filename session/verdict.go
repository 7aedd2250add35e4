package session

import "time"

// view is the verdict on a snapshot at one moment: what ended the session first, if anything
// has. It depends on nothing but its arguments and the configuration.
func (s *Service) view(snap Snapshot, now time.Time) View {
	v := View{
		Session: snap.Session, State: snap.State,
		IdleExpiresAt: s.idleEnd(snap.Session, snap.State.LastSeenAt), End: snap.End,
	}
	if !v.End.IsZero() {
		return v
	}
	if !now.Before(v.IdleExpiresAt) {
		v.End = v.timeout()
	}
	if mark := snap.Mark; mark.Covers(v.ID) && (v.End.IsZero() || mark.At.Before(v.End.At)) {
		v.End = End{At: mark.At, Reason: Reason(mark.Reason)}
	}
	return v
}

// timeout is the end that the session comes to if it is not used before.
func (v View) timeout() End {
	if v.ExpiresAt.After(v.IdleExpiresAt) {
		return End{At: v.IdleExpiresAt, Reason: ReasonIdle}
	}
	return End{At: v.ExpiresAt, Reason: ReasonExpired}
}

// lastSecond is the end of a live session that has no time left for an access token, and the zero End for
// any other. A session ends at a millisecond, while the times in a token are whole seconds (RFC 9068 §2.2),
// so that a token for less than the rest of a second would be issued and expire at the same time.
func lastSecond(v View, now time.Time) End {
	if v.IdleExpiresAt.Truncate(time.Second).After(now.Truncate(time.Second)) {
		return End{}
	}
	return v.timeout()
}

// idleEnd is when a session that was last used at that time ends unless it is used: never
// after its absolute end.
func (s *Service) idleEnd(sess Session, lastSeenAt time.Time) time.Time {
	return earliest(lastSeenAt.Add(s.idleTimeout(sess)), sess.ExpiresAt)
}

// idleTimeout is the session's own idle timeout, or the configured one if that is shorter.
func (s *Service) idleTimeout(sess Session) time.Duration {
	return min(sess.IdleTimeout, s.cfg.IdleTimeout)
}

// judgeAt is the verdict at that moment, as the store asks for it.
func (s *Service) judgeAt(now time.Time) Judge {
	return func(snap Snapshot) Verdict {
		v := s.view(snap, now)
		if v.End.IsZero() {
			return Verdict{Again: v.IdleExpiresAt}
		}
		return Verdict{End: v.End, Again: v.End.At.Add(s.cfg.History)}
	}
}

// requireLive refuses a session that has ended.
func (s *Service) requireLive(snap Snapshot, now time.Time) error {
	if end := s.view(snap, now).End; !end.IsZero() {
		return end.refusal()
	}
	return nil
}

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// latest returns the latest of the times, or the zero time.
func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
