package session

import (
	"cmp"
	"slices"
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

// Limit bounds the live sessions of a user.
type Limit struct {
	Max    int         // 0: no limit
	Policy LimitPolicy // what a sign-in above Max does
	Judge  Judge       // which of them are live; of the new session, when a sweep looks at it first
	Notice Notice      // how long verifiers must know of the evicted sessions
}

// maxEvicted bounds what one sign-in ends, because other writers wait for it. It is reached
// only after the limit has been lowered; the next sign-ins end the rest.
const maxEvicted = 64

// Evict returns which of a user's live sessions must end so that one more may begin. The
// error is [ErrLimit] if the policy refuses the sign-in. It may reorder the slice, which
// must hold no session that has ended.
func (l Limit) Evict(live []Snapshot) ([]Snapshot, error) {
	excess := len(live) + 1 - l.Max
	if l.Max == 0 || excess <= 0 {
		return nil, nil
	}
	if l.Policy == LimitRefuse {
		return nil, ErrLimit
	}
	slices.SortFunc(live, func(a, b Snapshot) int {
		if l.Policy == LimitEvictIdle {
			return cmp.Or(a.State.LastSeenAt.Compare(b.State.LastSeenAt), a.Session.ID.Compare(b.Session.ID))
		}
		return a.Session.ID.Compare(b.Session.ID)
	})
	return live[:min(excess, maxEvicted)], nil
}
