package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// stopGrace bounds the whole stop. It is less than the 10 s that the program promises, and
	// after which supervisors usually kill.
	stopGrace = 9500 * time.Millisecond
	// drainGrace is how long accepted requests may take to finish. It is more than the 6.5 s
	// that net/http can wait for a new connection without a request.
	drainGrace = 7 * time.Second
	// storeGrace is how long the store may take to close. Background work has what requests leave
	// of the time before: it may wait for a database that is slow.
	storeGrace = 2 * time.Second
)

// errGrace means that a step of the stop did not end in its time.
var errGrace = errors.New("it did not end in time")

// stop lets the accepted requests finish, then ends the background work and then closes the
// store. Each step begins when the one before it has ended or its time has passed.
func (s *Server) stop(stopWork func(), working *sync.WaitGroup) error {
	deadline := time.Now().Add(stopGrace)
	err := s.shutdown()
	stopWork()
	ended := func() error { working.Wait(); return nil }
	if failed := within(time.Until(deadline)-storeGrace, ended); failed != nil {
		err = errors.Join(err, fmt.Errorf("ending the background work: %w", failed))
	}
	if failed := within(time.Until(deadline), s.parts.store.Close); failed != nil {
		err = errors.Join(err, fmt.Errorf("closing the store: %w", failed))
	}
	return err
}

// shutdown ends both endpoints together, within drainGrace.
func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainGrace)
	defer cancel()
	var (
		ends sync.WaitGroup
		errs [2]error
	)
	for i, e := range []*endpoint{s.public, s.admin} {
		ends.Go(func() { errs[i] = e.shutdown(ctx) })
	}
	ends.Wait()
	return errors.Join(errs[:]...)
}

// within calls step and returns its error, or [errGrace] when it takes longer than grace. The
// call then goes on until the program ends.
func within(grace time.Duration, step func() error) error {
	done := make(chan error, 1)
	go func() { done <- step() }()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w (%s)", errGrace, grace.Round(time.Millisecond))
	}
}
