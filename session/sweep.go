package session

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// sweepEvery is how often the sweeper looks for work when nothing wakes it.
const sweepEvery = 10 * time.Second

// Run sweeps until the context ends: sessions under a mark and those whose time is over get
// their end on record, ended ones are forgotten after History, marks and journal are trimmed
// when nothing needs them any more. An error is logged, and the sweeper tries again. Only one
// Run or Sweep may be under way.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.sweepNow:
		case <-timer.C:
		}
		s.sweepAll(ctx)
		timer.Reset(sweepEvery)
	}
}

// sweepAll sweeps until there is nothing more to do, the context ends, or an error.
func (s *Service) sweepAll(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = s.Sweep(ctx); err != nil {
			if ctx.Err() == nil && !errors.Is(err, ErrUnavailable) {
				s.cfg.Logger.Error("sweeping", slog.Any("error", err))
			}
			return
		}
	}
}

// Sweep does a bounded part of the sweeper's work and reports whether there is more. Records
// that cannot be read are skipped and logged; the store tries them again later.
func (s *Service) Sweep(ctx context.Context) (more bool, err error) {
	now := s.now()
	swept, err := s.cfg.Store.Sweep(ctx, SweepRequest{Now: now, Judge: s.judgeAt(now), Issued: s.latestIssued()})
	if err != nil {
		return false, err
	}
	s.reportUnreadable("sweeping", swept.Unreadable)
	return swept.More, nil
}

// wakeSweeper makes the sweeper look for work at once.
func (s *Service) wakeSweeper() {
	select {
	case s.sweepNow <- struct{}{}:
	default: // it has been woken already
	}
}
