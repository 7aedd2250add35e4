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
	// skew is how far the clocks of issuer and verifier may differ for the feed.
	skew = jwt.MaxLeeway
	// keepPast is how long an entry is kept after its end, by the issuer's clock: a
	// verifier whose clock is behind still accepts tokens then.
	keepPast = 2 * jwt.MaxLeeway
)

// ledger is what a guard has read of the issuer's log, and how fresh that is. It judges
// messages whose signatures have been verified. What it refuses changes nothing.
type ledger struct {
	issuer   string
	maxStale time.Duration
	set      *list.Set
	heard    atomic.Pointer[instant] // nil before the first snapshot

	mu     sync.Mutex
	seq    uint64
	last   sid.ID    // in the entry numbered seq, zero when not known
	newest time.Time // iat of the newest message accepted
}

// instant is a time by both clocks: the one that is set, and the one that only runs.
type instant struct{ running, set time.Time }

func newLedger(issuer string, maxStale time.Duration) *ledger {
	return &ledger{issuer: issuer, maxStale: maxStale, set: list.NewSet()}
}

// position returns the number of the newest entry applied, and when the issuer last said
// that there is no newer one.
func (l *ledger) position() (seq uint64, heard time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.heard.Load(); at != nil {
		heard = at.running
	}
	return l.seq, heard
}

// fresh reports whether the list counts as complete. A clock that stood still, as while a
// machine is suspended, does not hide how long that was.
func (l *ledger) fresh(now time.Time) bool {
	at := l.heard.Load()
	return at != nil && now.Sub(at.running) <= l.maxStale && now.Round(0).Sub(at.set) <= l.maxStale
}

// event applies the next entry of the log.
func (l *ledger) event(e revocation.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.follows(e.Issuer, e.Entry.Seq, e.Prev, 1); err != nil {
		return err
	}
	l.set.Apply(e.Entry)
	l.seq, l.last = e.Entry.Seq, e.Entry.SID
	l.witness(e.IssuedAt)
	return nil
}

// alive takes the issuer's word that nothing is missing.
func (l *ledger) alive(a revocation.Alive, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.follows(a.Issuer, a.Seq, a.Last, 0); err != nil {
		return err
	}
	if err := l.timely(a.IssuedAt, now); err != nil {
		return err
	}
	if l.last.IsZero() {
		l.last = a.Last
	}
	l.hear(a.IssuedAt, now)
	l.set.Expire(a.IssuedAt.Add(-keepPast))
	return nil
}

// snapshot adds a whole list. One that is behind what was applied is that of an issuer
// whose backup was restored, or an old one: it must be newer than every other message.
func (l *ledger) snapshot(s revocation.Snapshot, now time.Time) (rolledBack bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Issuer != l.issuer {
		return false, ErrSender
	}
	if err := l.timely(s.IssuedAt, now); err != nil {
		return false, err
	}
	rolledBack = s.Next < l.seq
	if rolledBack && !s.IssuedAt.After(l.newest) {
		return false, fmt.Errorf("%w: a snapshot that ends at %d, after %d", ErrBackwards, s.Next, l.seq)
	}
	l.set.Load(s)
	l.seq, l.last = s.Next, s.Last
	l.hear(s.IssuedAt, now)
	l.set.Expire(s.IssuedAt.Add(-keepPast))
	return rolledBack, nil
}

// follows checks that a message about an entry comes step after the newest one.
func (l *ledger) follows(issuer string, seq uint64, before sid.ID, step uint64) error {
	switch {
	case issuer != l.issuer:
		return ErrSender
	case seq < l.seq+step:
		return fmt.Errorf("%w: to %d, after %d", ErrBackwards, seq, l.seq)
	case seq > l.seq+step:
		return fmt.Errorf("%w: %d, after %d", ErrGap, seq, l.seq)
	case !before.IsZero() && !l.last.IsZero() && before != l.last:
		return fmt.Errorf("%w: at %d", ErrForked, seq)
	}
	return nil
}

// timely refuses a message that can't be of this time by any clock that is tolerated.
func (l *ledger) timely(issued, now time.Time) error {
	switch age := now.Sub(issued); {
	case age > skew+l.maxStale:
		return fmt.Errorf("%w: it is %s old", ErrClock, age.Truncate(time.Second))
	case age < -skew:
		return fmt.Errorf("%w: it is %s ahead", ErrClock, -age.Truncate(time.Second))
	}
	return nil
}

// hear notes that the list was complete when a message was issued. That was now, unless
// it was under way for longer than clocks may differ.
func (l *ledger) hear(issued, now time.Time) {
	l.witness(issued)
	if late := now.Sub(issued.Add(skew)); late > 0 {
		now = now.Add(-late)
	}
	if old := l.heard.Load(); old == nil || now.After(old.running) || now.Round(0).After(old.set) {
		l.heard.Store(&instant{running: now, set: now.Round(0)})
	}
}

func (l *ledger) witness(issued time.Time) {
	if issued.After(l.newest) {
		l.newest = issued
	}
}
