package session

import (
	"cmp"
	"slices"
	"time"

	"issuer.example/sid"
)

// LimitPolicy says what happens when a user who already has the maximum number of sessions
// signs in again.
type LimitPolicy string

// The limit policies.
const (
	LimitEvictOldest LimitPolicy = "evict_oldest" // the session that began first ends
	LimitEvictIdle   LimitPolicy = "evict_idle"   // the session that was used longest ago ends
	LimitRefuse      LimitPolicy = "refuse"       // the sign-in is refused with ErrLimit
)

// Limit bounds the live sessions of a user. Sessions that wait for their hand-off code to be
// claimed do not count.
type Limit struct {
	Max    int         // 0: no limit
	Policy LimitPolicy // what a sign-in above Max does
	Judge  Judge       // which of them are live; of the new session, when a sweep looks at it first
	Notice Notice      // how long verifiers must know of the evicted sessions
}

// MaxEvicted is how many sessions one sign-in ends one by one, because other writers wait for
// it. There are more only after the limit has been lowered. [LimitEvictOldest] then ends all
// with one mark; under [LimitEvictIdle] the next sign-ins end the rest.
const MaxEvicted = 64

// Admission is what a session goes through before it counts as one of its user's.
type Admission struct {
	At    time.Time // when what ends for it ends; required
	Limit Limit
	// Replaces, if not zero, is a session that ends first, with [ReasonReplaced]. It is ignored
	// unless it is a live session of the same user.
	Replaces sid.ID
}

// Eviction is what ends so that one more session may begin.
type Eviction struct {
	Each []Snapshot // these end one by one
	// UpTo, if not zero, says that all sessions of the user up to this identifier end.
	UpTo sid.ID
}

// Evict returns which of a user's live sessions must end so that the one with the identifier
// admitted may begin, which is zero for a new one. live holds the others, at least the newest
// Max + [MaxEvicted] of them if there are more; it may be reordered. The error is [ErrLimit] if
// the policy refuses the sign-in.
func (l Limit) Evict(live []Snapshot, admitted sid.ID) (Eviction, error) {
	excess := len(live) + 1 - l.Max
	if l.Max == 0 || excess <= 0 {
		return Eviction{}, nil
	}
	if l.Policy == LimitRefuse {
		return Eviction{}, ErrLimit
	}
	slices.SortFunc(live, func(a, b Snapshot) int {
		if l.Policy == LimitEvictIdle {
			return cmp.Or(a.State.LastSeenAt.Compare(b.State.LastSeenAt), a.Session.ID.Compare(b.Session.ID))
		}
		return a.Session.ID.Compare(b.Session.ID)
	})
	if excess > MaxEvicted && l.Policy != LimitEvictIdle {
		upTo := live[excess-1].Session.ID
		if admitted.IsZero() || admitted.Compare(upTo) > 0 {
			return Eviction{UpTo: upTo}, nil
		}
	}
	return Eviction{Each: live[:min(excess, MaxEvicted)]}, nil
}
