package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// sweepBatch bounds each part of a sweep, for which everyone else's writes wait.
	sweepBatch = 64
	// unreadableAgain is when something that could not be read is looked at again.
	unreadableAgain = time.Hour
	// leastIssued is by how much [session.SweepRequest.Issued] must exceed the latest time
	// on record to be recorded: an idle issuer does not write.
	leastIssued = 1000 // milliseconds
)

// sweep is one run of upkeep.
type sweep struct {
	*tx
	req  session.SweepRequest
	done session.Swept
}

// Sweep implements [session.Store].
func (db *DB) Sweep(ctx context.Context, req session.SweepRequest) (session.Swept, error) {
	s := &sweep{req: req}
	err := db.update(ctx, func(t *tx) error {
		s.tx = t
		return s.run()
	})
	if err != nil {
		return session.Swept{}, err
	}
	return s.done, nil
}

// run does a part of the work. It stops after the first step that has left work undone, so
// that one transaction stays small.
func (s *sweep) run() error {
	s.noteIssued()
	for _, step := range []func() (more bool, err error){s.settleMarks, s.dropMarks, s.sweepDue, s.trim} {
		more, err := step()
		if err != nil {
			return err
		}
		if more {
			s.done.More = true
			return nil
		}
	}
	return nil
}

func (s *sweep) noteIssued() {
	if millis(s.req.Issued) >= s.counters.newest+leastIssued {
		s.later(func() error {
			s.noteTimes(s.req.Issued)
			return nil
		})
	}
}

// skip counts and logs something that cannot be read, once an hour.
func (s *sweep) skip(what string, err error) {
	if !s.h.sweep.again(what, s.req.Now) {
		return
	}
	s.done.Unreadable++
	s.h.log.Error("sweeping: something cannot be read and is left out until it is tried again",
		slog.String("what", what), slog.Any("error", err))
	s.h.sweep.retry[what] = s.req.Now.Add(unreadableAgain)
}

// sweepMemory is what the committer remembers between sweeps. A failure of the store or the
// end of the process loses it, which costs some work twice.
type sweepMemory struct {
	settling settling
	// retry says when something that could not be read is to be tried again.
	retry map[string]time.Time
}

// maxRetries bounds the memory for what cannot be read. Above it, all is tried again.
const maxRetries = 4096

// again reports whether something that may have been skipped is to be tried now.
func (m *sweepMemory) again(what string, now time.Time) bool {
	if len(m.retry) > maxRetries {
		clear(m.retry)
	}
	return !now.Before(m.retry[what])
}

// dueKey is where a session stands among the due: milliseconds (8) | sid.
func dueKey(at time.Time, id sid.ID) []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(millis(at))) //nolint:gosec // never negative
	return append(key, id[:]...)
}

// sweepDue looks at the sessions whose time may be over.
func (s *sweep) sweepDue() (more bool, err error) {
	last := uint64(millis(s.req.Now)) //nolint:gosec // never negative
	c := s.bucket(byDue).Cursor()
	n := 0
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		key := string(k)
		if len(key) != 8+len(sid.ID{}) {
			s.h.log.Error("sweeping: a damaged entry of the due is removed", slog.Int("bytes", len(key)))
			s.done.Unreadable++
			s.later(func() error { return s.delete(byDue, []byte(key)) })
			continue
		}
		if binary.BigEndian.Uint64(k) > last {
			return false, nil
		}
		if n++; n > sweepBatch {
			return true, nil
		}
		if err := s.sweepOne(key, sid.ID([]byte(key[8:]))); err != nil {
			return false, err
		}
	}
	return false, nil
}

// sweepOne looks at a session that is due.
func (s *sweep) sweepOne(key string, id sid.ID) error {
	snap, err := s.load(session.Ref{ID: id})
	if unreadable(err) {
		// It is due again in an hour, so this is logged once an hour.
		s.done.Unreadable++
		s.h.log.Error("sweeping: a session cannot be read", slog.String("sid", id.String()), slog.Any("error", err))
		s.deferLater(key, id, s.req.Now.Add(unreadableAgain))
		return nil
	}
	if err != nil {
		return err
	}
	v, err := judge(s.req.Judge, snap)
	switch {
	case err != nil:
		return err
	case v.End.IsZero(): // it was used meanwhile
		s.deferLater(key, id, v.Again)
		return nil
	}
	if snap.End.IsZero() {
		s.recordLater(&snap, v.End)
	}
	if s.req.Now.Before(v.Again) {
		s.deferLater(key, id, v.Again)
		return nil
	}
	s.later(func() error {
		s.done.Forgotten++
		return s.forget(key, snap.Session.User.ID, id)
	})
	return nil
}

// recordLater records the end of a session that is over already.
func (s *sweep) recordLater(snap *session.Snapshot, end session.End) {
	s.endLater(snap, session.Ending{End: end}, &s.done.Ended)
	s.later(func() error {
		s.written = max(s.written, millis(s.req.Now))
		return nil
	})
}

// deferLater makes a due session due again later; never at once, which would repeat for ever.
func (s *sweep) deferLater(key string, id sid.ID, at time.Time) {
	if millis(at) <= millis(s.req.Now) {
		at = s.req.Now.Add(time.Millisecond)
	}
	s.later(func() error {
		return errors.Join(s.delete(byDue, []byte(key)), s.put(byDue, dueKey(at, id), nil))
	})
}

// forget removes a session, its end and all that leads to it.
func (b *batch) forget(dueKey, userID string, id sid.ID) error {
	if b.has(states, id[:]) {
		b.counters.live--
	}
	key := userKey(userID, id)
	return errors.Join(
		b.delete(byDue, []byte(dueKey)),
		b.delete(sessions, id[:]), b.delete(states, id[:]), b.delete(ends, id[:]),
		b.delete(byUser, key), b.delete(byUserEnded, key),
	)
}
