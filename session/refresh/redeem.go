package refresh

import "time"

// Outcome says what redeeming a refresh token came to: one for each row of the redeem
// table, and [Unchanged]. The words are stable: metrics and answers show them.
type Outcome string

// The outcomes.
const (
	Advanced  Outcome = "advanced"   // first use of the newest token: the state changes
	Restored  Outcome = "restored"   // the same, but the token is newer than the store, which was restored from a backup
	Repeated  Outcome = "repeated"   // the newest redeemed token again, within the window
	Late      Outcome = "late_retry" // the same, later: its reply was lost
	Sibling   Outcome = "sibling"    // another branch of the same generation, within the window
	Behind    Outcome = "behind"     // one generation behind, within the window
	Elsewhere Outcome = "elsewhere"  // as Repeated, from elsewhere than the advance
	Apart     Outcome = "apart"      // as Sibling or Behind, from elsewhere than the advance
	Unchanged Outcome = "unchanged"  // within UpdateAge: the token stays and nothing is written
	Reused    Outcome = "reused"     // the token was copied
)

// LateRetry says what redeeming the newest redeemed token after the window means.
type LateRetry string

// The choices for a late retry.
const (
	LateRetryAllow  LateRetry = "allow"  // its reply was lost: a new token on a branch of its own
	LateRetryRevoke LateRetry = "revoke" // it was copied: the session ends
)

// Policy is what the redeem table leaves to the operator.
type Policy struct {
	// Window is how long after a token's first use another use of it, or of its
	// neighbours, counts as a race of honest tabs. 0 turns that off.
	Window time.Duration
	// LateRetry is for a repeat after the window. "" is LateRetryAllow.
	LateRetry LateRetry
	// UpdateAge is how long after one refresh the next does not rotate: the newest token
	// is answered with itself and nothing is written. A copy that is used within it is
	// not noticed. 0 rotates at every refresh.
	UpdateAge time.Duration
}

// answer says which refresh token answers a redeemed one.
type answer int

const (
	answerNone  answer = iota
	answerSame         // the presented token itself
	answerChild        // the child of the token that the state describes
	answerStray        // a token on a branch of its own
)

// Decision is what the redeem table says.
type Decision struct {
	Outcome Outcome
	Next    State // what the state becomes; it differs if the token [Decision.Advances], or once in a generation if it is [Apart]

	answer answer
}

// Advances reports whether the token is used for the first time, so that the state changes.
func (d Decision) Advances() bool { return d.Outcome == Advanced || d.Outcome == Restored }

// Newest reports whether the token is the newest of its session, not redeemed before.
func (d Decision) Newest() bool { return d.Advances() || d.Outcome == Unchanged }

// Use is the presentation of a token.
type Use struct {
	Token Token
	At    time.Time
	// Elsewhere says that the token comes from another place than the one of the redemption
	// that the state describes. It counts within the window only, where a holder who redeems in
	// step with another one looks like a second tab.
	Elsewhere bool
	// Parent says that the token is the one that was answered with the token that the state
	// describes: see [Keyring.IsParent]. It counts with Elsewhere only.
	Parent bool
}

// Redeem is the redeem table: what the use of a token means for a live session in that state.
// It changes nothing.
func (p Policy) Redeem(st State, use Use) Decision {
	var (
		t      = use.Token
		ahead  = int64(t.Generation) - int64(st.Generation)
		within = p.Window > 0 && use.At.Sub(st.RedeemedAt) < p.Window
	)
	switch {
	case ahead >= 1:
		return p.advance(st, t, use.At, ahead)
	case ahead == 0 && t.Branch == st.Branch && within && use.Elsewhere:
		return Decision{Outcome: Elsewhere, answer: answerStray, Next: st}
	case ahead == 0 && t.Branch == st.Branch && within:
		return Decision{Outcome: Repeated, answer: answerChild, Next: st}
	case ahead == 0 && t.Branch == st.Branch && p.LateRetry != LateRetryRevoke:
		return Decision{Outcome: Late, answer: answerStray, Next: st}
	case (ahead == 0 || ahead == -1) && within && use.Elsewhere:
		return apart(st, use.Parent)
	case ahead == 0 && t.Branch != st.Branch && within:
		return Decision{Outcome: Sibling, answer: answerChild, Next: st}
	case ahead == -1 && within:
		return Decision{Outcome: Behind, answer: answerChild, Next: st}
	default:
		return Decision{Outcome: Reused, answer: answerNone, Next: st}
	}
}

// advance is the first use of a newest token.
func (p Policy) advance(st State, t Token, now time.Time, ahead int64) Decision {
	if ahead == 1 && now.Sub(st.RedeemedAt) < p.UpdateAge {
		return Decision{Outcome: Unchanged, answer: answerSame, Next: st}
	}
	outcome := Advanced
	if ahead > 1 {
		outcome = Restored
	}
	st.Apart = st.Apart.after(ahead)
	st.Generation, st.Branch, st.KeyID, st.RedeemedAt = t.Generation, t.Branch, t.KeyID, now
	return Decision{Outcome: outcome, answer: answerChild, Next: st}
}

// apart is the use of another token than the one that the state describes, from elsewhere and
// within the window. One cookie jar holds one branch at a time. A request of it that was slow
// brings the parent of the newest token; another branch comes only if replies have overtaken
// each other. Either is answered with a stray. A second holder has only branches of its own
// from then on, and uses one at least in every second generation, or its token is two behind.
func apart(st State, parent bool) Decision {
	if !parent && st.Apart.before() {
		return Decision{Outcome: Reused, answer: answerNone, Next: st}
	}
	st.Apart |= apartNow
	return Decision{Outcome: Apart, answer: answerStray, Next: st}
}
