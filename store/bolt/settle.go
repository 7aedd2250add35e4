package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// settling is the progress of recording the ends of the sessions under a mark.
type settling struct {
	scope revocation.Scope
	bound sid.ID
	// from is the newest identifier that has not been looked at.
	from       sid.ID
	unreadable int // sessions that were skipped
}

// settleMarks records the ends of the next few sessions under marks, of as many marks as fit
// into one batch: many marks over few sessions each are settled in few transactions.
func (s *sweep) settleMarks() (more bool, err error) {
	budget := sweepBatch
	c := s.bucket(marksToDo).Cursor()
	for k, _ := c.First(); k != nil && k[0] == toSettle && budget > 0; k, _ = c.Next() {
		mark, ok := s.markToDo(bytes.Clone(k), k[1:])
		if !ok || !s.h.sweep.again(markName(mark.Scope), s.req.Now) {
			continue
		}
		more = true
		if budget, err = s.settle(mark, budget); err != nil {
			return false, err
		}
	}
	return more, nil
}

// markName names a mark among what is to be tried again.
func markName(scope revocation.Scope) string { return "mark " + hex.EncodeToString(markKey(scope)) }

// markToDo reads a mark that something is to be done with. ok is false if it cannot be read,
// or if it has changed since: then it also has a newer entry among the marks to do.
func (s *sweep) markToDo(toDo, key []byte) (mark markRow, ok bool) {
	raw := s.get(marks, key)
	mark, err := decodeMark(key, raw)
	if raw != nil && err != nil {
		s.skip("damaged mark "+hex.EncodeToString(key), err)
		return mark, false
	}
	if raw == nil || !bytes.Equal(toDo, toDoKey(key, &mark)) {
		s.later(func() error { return s.delete(marksToDo, toDo) })
		return mark, false
	}
	return mark, true
}

// settle records the ends of up to budget sessions under a mark, and returns what is left of
// the budget. Once all have theirs, the mark is settled, which costs as much as one session. A mark with
// sessions that cannot be read is not settled: they are tried again, and until then it stays
// in force.
func (s *sweep) settle(mark markRow, budget int) (left int, err error) {
	at := s.h.sweep.settling
	if at.scope != mark.Scope || at.bound != mark.SID {
		at = settling{scope: mark.Scope, bound: mark.SID, from: mark.SID}
	}
	w := s.walkAll(states, at.from)
	if mark.Scope.Kind == revocation.KindUser {
		w = s.walkUser(byUser, mark.Scope.Name, at.from)
	}
	for ; budget > 0; budget-- {
		id, ok := w.next()
		if !ok {
			s.settledLater(mark, at)
			return budget - 1, nil
		}
		if !id.IsZero() {
			at.from = id.Before()
		}
		if err := s.settleOne(id, &at); err != nil {
			return 0, err
		}
	}
	s.later(func() error {
		s.h.sweep.settling = at
		return nil
	})
	return 0, nil
}

// settleOne records the end of a session, if it has one.
func (s *sweep) settleOne(id sid.ID, at *settling) error {
	snap, err := s.load(session.Ref{ID: id})
	if unreadable(err) {
		at.unreadable++
		s.skip("session "+id.String(), err)
		return nil
	}
	if err != nil {
		return err
	}
	v, err := judge(s.req.Judge, snap)
	if err == nil && !v.End.IsZero() { // a live session is one that the mark does not cover
		s.recordLater(&snap, v.End)
	}
	return err
}

// settledLater finishes a mark: it is settled, or will be tried again if sessions were skipped.
func (s *sweep) settledLater(mark markRow, at settling) {
	s.later(func() error {
		s.h.sweep.settling = settling{}
		if at.unreadable > 0 {
			s.h.sweep.retry[markName(mark.Scope)] = s.req.Now.Add(unreadableAgain)
			return nil
		}
		mark.settled = true
		return s.putMark(&mark)
	})
}

// dropMarks drops settled marks that verifiers may have forgotten.
func (s *sweep) dropMarks() (more bool, err error) {
	last := uint64(millis(s.req.Now)) //nolint:gosec // never negative
	c := s.bucket(marksToDo).Cursor()
	n := 0
	for k, _ := c.Seek([]byte{toDrop}); k != nil; k, _ = c.Next() {
		toDo := bytes.Clone(k)
		if len(toDo) <= 1+8 || toDo[0] != toDrop {
			s.skip("work "+hex.EncodeToString(toDo), fmt.Errorf("%w: no mark has it", ErrDamaged))
			continue
		}
		if binary.BigEndian.Uint64(toDo[1:]) > last {
			return false, nil
		}
		if n++; n > sweepBatch {
			return true, nil
		}
		if mark, ok := s.markToDo(toDo, toDo[1+8:]); ok {
			s.later(func() error { return s.dropMark(markKey(mark.Scope)) })
		}
	}
	return false, nil
}
