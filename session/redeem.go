package session

import "time"

// Outcome is what redeeming a refresh token came to: one for each row of the redeem
// table, plus the two that policies add.
type Outcome string

// The outcomes.
const (
	OutcomeAdvanced  Outcome = "advanced"   // first use of the newest token: the only one that writes
	OutcomeRestored  Outcome = "restored"   // the same, by a token from after the backup that was restored
	OutcomeRepeated  Outcome = "repeated"   // the newest redeemed token again, within the window
	OutcomeLateRetry Outcome = "late_retry" // the same, later: its reply was lost
	OutcomeSibling   Outcome = "sibling"    // another branch of the same generation, racing
	OutcomeBehind    Outcome = "behind"     // a tab that was one step behind, within the window
	OutcomeUnchanged Outcome = "unchanged"  // within update_age: the token stays, nothing is written
	OutcomeReused    Outcome = "reused"     // the token was copied
)

// LateRetry says what redeeming the newest redeemed token after the window means.
type LateRetry string

// The choices for a late retry.
const (
	LateRetryAllow  LateRetry = "allow"  // a lost reply: a new token on a branch of its own
	LateRetryRevoke LateRetry = "revoke" // a copy: the session ends
)

// RefreshPolicy is what the redeem table leaves to the operator.
type RefreshPolicy struct {
	// Window is how long after a token's first use another use of it, or of its
	// neighbours, counts as a race of honest tabs. 0 turns that off.
	Window time.Duration
	// LateRetry is for a repeat after the window. The zero value is LateRetryAllow.
	LateRetry LateRetry
	// UpdateAge is how long after one refresh the next does not rotate: the newest token
	// is answered with itself and nothing is written. A copy that is used within it is
	// not noticed. 0 rotates at every refresh.
	UpdateAge time.Duration
}

// succession says which refresh token answers a redeemed one.
type succession int

const (
	none    succession = iota
	same               // the presented token itself
	child              // the child of the token that the state describes
	strayed            // a token on a branch of its own
)

// decision is the redeem table's verdict.
type decision struct {
	outcome Outcome
	answer  succession
	next    State // what the state becomes: other than before only when the token advanced
}

// redeem is the redeem table: what presenting t at now means for a live session in that
// state. It decides and changes nothing.
func (p RefreshPolicy) redeem(st State, t token, now time.Time) decision {
	var (
		ahead  = int64(t.generation) - int64(st.Generation)
		within = p.Window > 0 && now.Sub(st.RedeemedAt) < p.Window
	)
	switch {
	case ahead >= 1:
		return p.advance(st, t, now, ahead)
	case ahead == 0 && t.branch == st.Branch && within:
		return decision{outcome: OutcomeRepeated, answer: child, next: st}
	case ahead == 0 && t.branch == st.Branch && p.LateRetry != LateRetryRevoke:
		return decision{outcome: OutcomeLateRetry, answer: strayed, next: st}
	case ahead == 0 && t.branch != st.Branch && within:
		return decision{outcome: OutcomeSibling, answer: child, next: st}
	case ahead == -1 && within:
		return decision{outcome: OutcomeBehind, answer: child, next: st}
	default:
		return decision{outcome: OutcomeReused, answer: none, next: st}
	}
}

// advance is the first use of a newest token.
func (p RefreshPolicy) advance(st State, t token, now time.Time, ahead int64) decision {
	if ahead == 1 && now.Sub(st.RedeemedAt) < p.UpdateAge {
		return decision{outcome: OutcomeUnchanged, answer: same, next: st}
	}
	outcome := OutcomeAdvanced
	if ahead > 1 {
		outcome = OutcomeRestored
	}
	st.Generation, st.Branch, st.KeyID = t.generation, t.branch, t.keyID
	st.RedeemedAt, st.LastSeenAt = now, now
	return decision{outcome: outcome, answer: child, next: st}
}
