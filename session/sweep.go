package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

const (
	// sweepEvery is how often the sweeper looks for work when nothing wakes it.
	sweepEvery = 10 * time.Second
	// sweepBatch bounds one of its transactions, which requests wait behind.
	sweepBatch = 64
)

// unreadableAgain is when a session that could not be read is looked at again.
const unreadableAgain = time.Hour

// sweeper is what the sweeper remembers between transactions.
type sweeper struct {
	woken chan struct{}
	// cursor is how far a mark over more than one user has been settled. It is lost with
	// the process, which then begins again: settling is repeatable.
	cursor *settling
}

type settling struct {
	mark  revocation.Mark
	after sid.ID
}

func newSweeper() sweeper {
	return sweeper{woken: make(chan struct{}, 1), cursor: &settling{}}
}

// wake makes the sweeper look for work at once.
func (w sweeper) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // it is awake
	}
}

// Run sweeps until the context ends: sessions under a mark and those whose time is over get
// their end on record, ended ones are forgotten after History, the revocation log is cut
// behind the last token that it could matter to. Only one Run or Sweep may be under way.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.sweep.woken:
		case <-timer.C:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = s.Sweep(ctx); err != nil {
				if ctx.Err() == nil && !errors.Is(err, ErrUnavailable) {
					s.cfg.Logger.Error("sweeping", slog.Any("error", err))
				}
				more = false
			}
		}
		timer.Reset(sweepEvery)
	}
}

// Sweep does one bounded transaction of the sweeper's work and reports whether there is more.
func (s *Service) Sweep(ctx context.Context) (more bool, err error) {
	var (
		tally map[Reason]int
		next  settling
	)
	err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
		tally, next, more = map[Reason]int{}, *s.sweep.cursor, false
		now := s.now()
		for _, step := range []func(Tx, time.Time, map[Reason]int, *settling) (bool, error){
			s.settleMarks, s.dropMarks, s.sweepDue, s.trimLog,
		} {
			// A transaction does not see its own writes, so what one step may have ended is
			// left for the next transaction.
			if more, err = step(tx, now, tally, &next); err != nil || more {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	*s.sweep.cursor = next
	for reason, n := range tally {
		s.cfg.Observer.Ended(reason, n)
	}
	return more, nil
}

// settleMarks records the ends of the next few sessions under marks.
func (s *Service) settleMarks(tx Tx, now time.Time, tally map[Reason]int, cur *settling) (bool, error) {
	marks, err := tx.UnsettledMarks(sweepBatch)
	if err != nil {
		return false, err
	}
	for room, i := sweepBatch, 0; i < len(marks) && room > 0; i++ {
		wide := marks[i].Scope.Kind != revocation.KindUser
		if wide && i > 0 {
			break // it may cover the same sessions, and a transaction does not see its writes
		}
		n, err := s.settle(tx, marks[i], now, room, tally, cur)
		if err != nil {
			return false, err
		}
		if room -= n; wide {
			break
		}
	}
	return len(marks) > 0, nil
}

// settle records the ends of up to room sessions under a mark, and returns how many it
// looked at. When that were all, the mark is settled.
func (s *Service) settle(
	tx Tx, mark revocation.Mark, now time.Time, room int, tally map[Reason]int, cur *settling,
) (int, error) {
	if cur.mark.Scope != mark.Scope || cur.mark.SID != mark.SID {
		*cur = settling{mark: mark}
	}
	batch, err := s.underMark(tx, mark, cur.after, room)
	if err != nil {
		return 0, err
	}
	for _, snap := range batch {
		cur.after = snap.Session.ID
		v, err := s.view(tx, snap, now)
		if err != nil {
			return 0, err
		}
		if v.End.IsZero() {
			continue // of another client
		}
		if err := tx.End(v.ID, v.End); err != nil {
			return 0, err
		}
		tally[v.End.Reason]++
	}
	if len(batch) < room || !mark.Covers(cur.after) {
		err = tx.Settle(mark)
	}
	return len(batch), err
}

// dropMarks drops marks that nobody needs any more.
func (s *Service) dropMarks(tx Tx, now time.Time, _ map[Reason]int, _ *settling) (bool, error) {
	marks, err := tx.ExpiredMarks(now, sweepBatch)
	if err != nil {
		return false, err
	}
	for _, mark := range marks {
		if err := tx.DropMark(mark); err != nil {
			return false, err
		}
	}
	return len(marks) == sweepBatch, nil
}

// underMark lists up to limit of the sessions without a recorded end that the mark could cover.
func (s *Service) underMark(tx Tx, mark revocation.Mark, after sid.ID, limit int) ([]Snapshot, error) {
	if mark.Scope.Kind != revocation.KindUser {
		return tx.LiveAfter(after, limit)
	}
	var batch []Snapshot
	for snap, err := range tx.UserSessions(mark.Scope.Name, false) {
		if err != nil {
			return nil, err
		}
		if !mark.Covers(snap.Session.ID) {
			continue
		}
		if batch = append(batch, snap); len(batch) == limit {
			break
		}
	}
	return batch, nil
}

// sweepDue looks at the sessions whose time may be over.
func (s *Service) sweepDue(tx Tx, now time.Time, tally map[Reason]int, _ *settling) (bool, error) {
	due, err := tx.Due(now, sweepBatch)
	if err != nil {
		return false, err
	}
	for _, d := range due {
		err := s.sweepOne(tx, d, now, tally)
		if err != nil && !errors.Is(err, ErrUnavailable) {
			// One that cannot be read must not stop the sweeping of all others.
			s.cfg.Logger.Error("sweeping a session", slog.String("sid", d.ID.String()), slog.Any("error", err))
			err = tx.Defer(d, now.Add(unreadableAgain))
		}
		if err != nil {
			return false, err
		}
	}
	return len(due) == sweepBatch, nil
}

func (s *Service) sweepOne(tx Tx, d Due, now time.Time, tally map[Reason]int) error {
	snap, v, err := s.load(tx, d.ID, now)
	if err != nil {
		return err
	}
	if v.End.IsZero() { // it was used meanwhile
		return tx.Defer(d, v.IdleExpiresAt)
	}
	if snap.End.IsZero() {
		if err := tx.End(d.ID, v.End); err != nil {
			return err
		}
		tally[v.End.Reason]++
	}
	if forget := v.End.At.Add(s.cfg.History); now.Before(forget) {
		return tx.Defer(d, forget)
	}
	return tx.Purge(d)
}

func (s *Service) trimLog(tx Tx, now time.Time, _ map[Reason]int, _ *settling) (bool, error) {
	n, err := tx.TrimLog(now, sweepBatch)
	return n == sweepBatch, err
}
