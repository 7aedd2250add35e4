package guard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"issuer.example/revocation"
)

const (
	// snapshotGap is the least time between the beginnings of two requests.
	snapshotGap = time.Second
	// maxRetries bounds the doubling of the pause after failures.
	maxRetries = 10
)

// snapshots takes the whole list from time to time, whatever happens to the stream: when the
// stream demands it, and when nothing has proven for too long that the list is complete.
type snapshots struct {
	*follower

	wake    chan struct{} // has room for one; gets a value when one may be due earlier
	applied chan struct{} // closed when the first one was applied

	mu       sync.Mutex
	proof    time.Time // when a snapshot or an alive last proved that the list is complete
	heard    bool      // the present connection has brought an alive
	demanded bool      // by the stream
	began    time.Time // the last request
	failed   time.Time // the end of the last request, if it failed
	failures int       // in a row
	retryIn  time.Duration
	early    float64 // the jitter, from 0 to 0.1
	once     sync.Once
}

func newSnapshots(f *follower) *snapshots {
	s := &snapshots{follower: f, wake: make(chan struct{}, 1), applied: make(chan struct{})}
	if f.revocations.loaded() { // from the state file
		s.once.Do(func() { close(s.applied) })
	}
	return s
}

// demand makes a snapshot due at once.
func (s *snapshots) demand() { s.note(func() { s.demanded = true }) }

// setHeard notes whether the present connection has brought an alive.
func (s *snapshots) setHeard(heard bool) { s.note(func() { s.heard = heard }) }

func (s *snapshots) note(change func()) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// proven notes that the list was proven to be complete. The next snapshot is due later.
func (s *snapshots) proven() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proof = time.Now()
}

// run takes snapshots until the context ends.
func (s *snapshots) run(ctx context.Context) {
	for ctx.Err() == nil {
		if wait := time.Until(s.due()); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-s.wake:
			case <-ctx.Done():
			}
			timer.Stop()
			continue // a proof may have come meanwhile
		}
		if err := s.take(ctx); err != nil && ctx.Err() == nil {
			s.recordFault(err)
		}
	}
}

// due is when the next snapshot is to be taken.
func (s *snapshots) due() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.maxStaleness / 3
	if s.heard {
		limit = s.silenceLimit()
	}
	at := s.proof.Add(limit - time.Duration(s.early*float64(limit)))
	if s.demanded {
		at = time.Time{}
	}
	if s.failures > 0 {
		at = later(at, s.failed.Add(s.retryIn))
	}
	return later(at, s.began.Add(snapshotGap))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// take takes a snapshot, and notes how that went.
func (s *snapshots) take(ctx context.Context) error {
	s.mu.Lock()
	s.began, s.demanded = time.Now(), false
	s.early = rand.Float64() / 10 //nolint:gosec // it spreads load and protects nothing
	s.mu.Unlock()
	proof, err := s.load(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.once.Do(func() { close(s.applied) })
	}
	if proof {
		s.failures, s.proof = 0, time.Now()
		return nil
	}
	s.failures++ // a repetition is as good as none
	s.failed, s.retryIn = time.Now(), s.retry(err)
	return err
}

// retry is the pause after a failure. The caller holds mu.
func (s *snapshots) retry(err error) time.Duration {
	d := jitter(min(snapshotGap<<min(s.failures-1, maxRetries), s.maxStaleness/6))
	var status *statusError
	if errors.As(err, &status) {
		d = max(d, status.retryAfter)
	}
	return max(d, snapshotGap)
}

// load fetches and applies the whole list. It reports whether that proves that the list is
// complete.
func (s *snapshots) load(ctx context.Context) (proof bool, err error) {
	urls, err := s.discovery.endpoints(ctx)
	if err != nil {
		return false, err
	}
	patience, cancel := context.WithTimeout(ctx, s.maxStaleness/3)
	defer cancel()
	res, err := s.client.fetch(patience, request{
		url: unique(urls.snapshot + "?"), scope: scopeRevocations, header: map[string]string{"Accept": "application/jwt"},
	}, revocation.MaxSnapshotSize)
	if err != nil {
		return false, fmt.Errorf("fetching the revocations: %w", err)
	}
	payload, err := s.verify(ctx, res.body, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	if err != nil {
		return false, fmt.Errorf("reading the revocations: %w", err)
	}
	snapshot, err := revocation.DecodeSnapshot(payload)
	if err != nil {
		return false, err
	}
	applied, err := s.revocations.applySnapshot(snapshot, s.now())
	if err != nil {
		return false, err
	}
	s.state.keepSnapshot(res.body, snapshot.Next, applied.rolledBack)
	s.noteApplied(snapshot, applied.rolledBack)
	return applied.proof, nil
}

func (s *snapshots) noteApplied(snapshot revocation.Snapshot, rolledBack bool) {
	if rolledBack {
		s.stats.rollbacks.Add(1)
		s.logger.Warn("the issuer has gone back in its log of revocations", "seq", snapshot.Next)
	}
	s.stats.snapshots.Add(1)
	s.stats.delay.Store(0)
	s.refetchKeysIfEverythingRevoked(snapshot.Entries...)
	s.report.applied(snapshot.Next, 0)
}
