package guard

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/sid"
)

const (
	// feedSkew is how far the clocks of the issuer and of this service may differ when a
	// message of the feed is judged.
	feedSkew = jwt.MaxLeeway
	// keepAfterEnd is how long an entry is kept after its end, by the issuer's clock. A
	// service whose clock is behind still accepts tokens then.
	keepAfterEnd = 2 * jwt.MaxLeeway
)

// revocations are the entries of the issuer's log that a guard has applied, its position in
// the log, and how recently the issuer confirmed that no entry is missing. The signatures
// of messages are verified before they come here. A message that is refused changes
// nothing.
type revocations struct {
	issuer       string
	maxStaleness time.Duration
	set          *list.Set
	confirmed    atomic.Pointer[instant] // nil before the first snapshot

	mu           sync.Mutex
	seq          uint64    // of the newest entry applied
	last         sid.ID    // the identifier in that entry, zero if unknown
	newestIssued time.Time // the latest iat of all messages accepted
	newestProof  time.Time // the latest iat of all alives and snapshots accepted
}

// instant is one time by both clocks of a machine. The monotonic one stands still while
// the machine is suspended; the wall clock can be set back.
type instant struct{ monotonic, wall time.Time }

func newRevocations(issuer string, maxStaleness time.Duration) *revocations {
	return &revocations{issuer: issuer, maxStaleness: maxStaleness, set: list.NewSet()}
}

// position returns the number of the newest entry applied, and when the issuer last
// confirmed that there is no newer one.
func (r *revocations) position() (seq uint64, confirmed time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.confirmed.Load(); at != nil {
		confirmed = at.monotonic
	}
	return r.seq, confirmed
}

// fresh reports whether the last confirmation is recent enough by both clocks.
func (r *revocations) fresh(now time.Time) bool {
	at := r.confirmed.Load()
	return at != nil && now.Sub(at.monotonic) <= r.maxStaleness && now.Round(0).Sub(at.wall) <= r.maxStaleness
}

// restore applies a snapshot that was kept, however old it is.
func (r *revocations) restore(s revocation.Snapshot, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.Issuer != r.issuer:
		return ErrSender
	case s.IssuedAt.After(now.Add(feedSkew)):
		return ErrClock
	}
	r.set.Load(s)
	r.seq, r.last = s.Next, s.Last
	r.prove(s.IssuedAt, now, 0)
	return nil
}

// restoreAlive applies an alive that was kept, however old it is.
func (r *revocations) restoreAlive(a revocation.Alive, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.checkOrder(a.Issuer, a.Seq, r.seq, r.seq, a.Last); err != nil {
		return err
	}
	if a.IssuedAt.After(now.Add(feedSkew)) {
		return ErrClock
	}
	r.prove(a.IssuedAt, now, 0)
	return nil
}

// loaded reports whether there is a list.
func (r *revocations) loaded() bool { return r.confirmed.Load() != nil }

// applyEvent applies the next entry of the log. cursor is the number of the entry that the
// stream has sent before it. It reports false if a snapshot contained the entry.
func (r *revocations) applyEvent(e revocation.Event, cursor uint64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	contained := cursor < r.seq // a snapshot came since the stream was opened
	prev := e.Prev
	if contained {
		prev = sid.ID{}
	}
	if err := r.checkOrder(e.Issuer, e.Entry.Seq, cursor, cursor+1, prev); err != nil {
		return false, err
	}
	if contained {
		return false, nil
	}
	if cursor > r.seq {
		return false, fmt.Errorf("%w: %d, after a snapshot that ended at %d", ErrForked, e.Entry.Seq, r.seq)
	}
	r.set.Apply(e.Entry)
	r.seq, r.last = e.Entry.Seq, e.Entry.SID
	r.noteIssuedAt(e.IssuedAt)
	return true, nil
}

// applyAlive notes the issuer's confirmation that no entry is missing. cursor is the number
// of the entry that the stream has sent before it. It reports whether that proves
// something: a repetition does not, nor does a confirmation that a snapshot has overtaken.
func (r *revocations) applyAlive(a revocation.Alive, cursor uint64, now time.Time) (proof bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	overtaken := cursor < r.seq
	last := a.Last
	if overtaken {
		last = sid.ID{}
	}
	if err := r.checkOrder(a.Issuer, a.Seq, cursor, cursor, last); err != nil {
		return false, err
	}
	if err := r.checkTime(a.IssuedAt, now); err != nil {
		return false, err
	}
	if overtaken {
		return false, nil
	}
	if cursor > r.seq {
		return false, fmt.Errorf("%w: %d, after a snapshot that ended at %d", ErrForked, a.Seq, r.seq)
	}
	if r.last.IsZero() {
		r.last = a.Last
	}
	proof = r.prove(a.IssuedAt, now, feedSkew)
	r.set.Expire(r.newestProof.Add(-keepAfterEnd))
	return proof, nil
}

// appliedSnapshot is what a snapshot has changed.
type appliedSnapshot struct {
	rolledBack bool // the log ended later before
	proof      bool // the list was complete when the snapshot was issued, which was not known
}

// applySnapshot adds a whole list and moves to its position. A snapshot that ends before
// that position comes from an issuer whose backup was restored, or it is an old one that
// was replayed: it must be newer than every message accepted before.
func (r *revocations) applySnapshot(s revocation.Snapshot, now time.Time) (appliedSnapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var applied appliedSnapshot
	if s.Issuer != r.issuer {
		return applied, ErrSender
	}
	if err := r.checkTime(s.IssuedAt, now); err != nil {
		return applied, err
	}
	applied.rolledBack = s.Next < r.seq
	if applied.rolledBack && !s.IssuedAt.After(r.newestIssued) {
		return applied, fmt.Errorf("%w: the snapshot ends at %d, after %d was applied", ErrBackwards, s.Next, r.seq)
	}
	r.set.Load(s)
	r.seq, r.last = s.Next, s.Last
	applied.proof = r.prove(s.IssuedAt, now, feedSkew)
	r.set.Expire(r.newestProof.Add(-keepAfterEnd))
	return applied, nil
}

// checkOrder checks that a message is about the entry that is expected next on its stream,
// which has sent the entry cursor before. prev is the identifier that the message says is in
// that entry.
func (r *revocations) checkOrder(issuer string, seq, cursor, want uint64, prev sid.ID) error {
	switch {
	case issuer != r.issuer:
		return ErrSender
	case seq < want:
		return fmt.Errorf("%w: to %d, after %d was applied", ErrBackwards, seq, cursor)
	case seq > want:
		return fmt.Errorf("%w: %d, after %d was applied", ErrGap, seq, cursor)
	case !prev.IsZero() && !r.last.IsZero() && prev != r.last:
		return fmt.Errorf("%w: at %d", ErrForked, seq)
	}
	return nil
}

// checkTime refuses a message whose iat is too far from now.
func (r *revocations) checkTime(issued, now time.Time) error {
	switch age := now.Sub(issued); {
	case age > feedSkew+r.maxStaleness:
		return fmt.Errorf("%w: it is %s old", ErrClock, age.Truncate(time.Second))
	case age < -feedSkew:
		return fmt.Errorf("%w: it is from %s in the future", ErrClock, -age.Truncate(time.Second))
	}
	return nil
}

// prove notes that the list was complete when a message was issued, and reports whether that
// was not known: a message that is not newer than all before it is a repetition, and
// proves nothing. If the message was on its way for longer than allowed, the list was
// confirmed as much earlier than now.
func (r *revocations) prove(issued, now time.Time, allowed time.Duration) bool {
	r.noteIssuedAt(issued)
	if !issued.After(r.newestProof) {
		return false
	}
	r.newestProof = issued
	if late := now.Sub(issued.Add(allowed)); late > 0 {
		now = now.Add(-late)
	}
	if old := r.confirmed.Load(); old == nil || now.After(old.monotonic) || now.Round(0).After(old.wall) {
		r.confirmed.Store(&instant{monotonic: now, wall: now.Round(0)})
	}
	return true
}

func (r *revocations) noteIssuedAt(issued time.Time) {
	if issued.After(r.newestIssued) {
		r.newestIssued = issued
	}
}
